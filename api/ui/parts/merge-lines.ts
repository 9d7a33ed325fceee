import { diffArrays } from 'diff';
import { EDITS_MAX } from './diff-rows.ts';

/**
 * Puts two changes of one text together, by lines; undefined where both touch the same place, or places next to each
 * other: then nobody but a person knows what is meant. Where both did the very same it is done once. Pure.
 */
export function mergeLines(base: string, mine: string, theirs: string): string | undefined {
  const lines = base.split('\n');
  const [ours, others] = [hunksOf(lines, mine.split('\n')), hunksOf(lines, theirs.split('\n'))];
  if (ours === undefined || others === undefined) return undefined;
  const hunks = [...ours.filter((hunk) => !others.some((other) => isSame(hunk, other))), ...others].sort(
    (a, b) => a.from - b.from || a.to - b.to,
  );
  const merged: string[] = [];
  let [at, last] = [0, -1];
  for (const { from, to, lines: put } of hunks) {
    if (from <= last) return undefined;
    merged.push(...lines.slice(at, from), ...put);
    [at, last] = [to, to];
  }
  return [...merged, ...lines.slice(at)].join('\n');
}

/** Lines `from` up to `to`, without that, are replaced. */
interface Hunk {
  from: number;
  to: number;
  lines: readonly string[];
}

function hunksOf(base: readonly string[], text: readonly string[]): Hunk[] | undefined {
  const hunks: Hunk[] = [];
  let at = 0;
  let open: { from: number; to: number; lines: string[] } | undefined;
  const changes = diffArrays([...base], [...text], { maxEditLength: EDITS_MAX });
  if (changes === undefined) return undefined;
  for (const { added, removed, value } of changes) {
    if (!added && !removed) {
      open = undefined;
      at += value.length;
      continue;
    }
    if (open === undefined) {
      open = { from: at, to: at, lines: [] };
      hunks.push(open);
    }
    if (added) open.lines.push(...value);
    else {
      at += value.length;
      open.to = at;
    }
  }
  return hunks;
}

function isSame(a: Hunk, b: Hunk): boolean {
  return a.from === b.from && a.to === b.to && a.lines.join('\n') === b.lines.join('\n');
}
