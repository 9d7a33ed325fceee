import { diffArrays } from 'diff';

/** Two texts by their lines, as what is drawn of them. Pure. */

export type DiffRow =
  | { kind: 'same'; text: string; from: number; to: number }
  | { kind: 'gone'; text: string; from: number }
  | { kind: 'new'; text: string; to: number };

/** What is folded away: lines that are the same. */
export interface Fold {
  kind: 'fold';
  rows: readonly DiffRow[];
}

/** To look for what is alike takes time where little is: texts that differ in more lines are all gone and all new. */
export const EDITS_MAX = 800;

export function linesOf(text: string): string[] {
  return text.replaceAll('\r\n', '\n').split('\n');
}

/** Every line of both. Lines are numbered from 1. */
export function diffRows(before: string, after: string): DiffRow[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  // What both end with is the end of the last line, and no line.
  if (a.at(-1) === '' && b.at(-1) === '') for (const lines of [a, b]) lines.pop();
  const changes = diffArrays(a, b, { maxEditLength: EDITS_MAX }) ?? [
    { removed: true, added: false, value: a },
    { removed: false, added: true, value: b },
  ];
  const rows: DiffRow[] = [];
  let [from, to] = [0, 0];
  for (const { added, removed, value } of changes) {
    for (const text of value) {
      if (removed) rows.push({ kind: 'gone', text, from: ++from });
      else if (added) rows.push({ kind: 'new', text, to: ++to });
      else rows.push({ kind: 'same', text, from: ++from, to: ++to });
    }
  }
  return rows;
}

/** The same with what is far from any change folded. @param context lines that stay around one */
export function folded(rows: readonly DiffRow[], context: number): (DiffRow | Fold)[] {
  const near = new Uint8Array(rows.length);
  for (const [at, row] of rows.entries())
    if (row.kind !== 'same') near.fill(1, Math.max(0, at - context), at + context + 1);
  const shown: (DiffRow | Fold)[] = [];
  let hidden: DiffRow[] = [];
  const fold = () => {
    // A fold takes a line itself.
    if (hidden.length === 1) shown.push(...hidden);
    else if (hidden.length > 1) shown.push({ kind: 'fold', rows: hidden });
    hidden = [];
  };
  for (const [at, row] of rows.entries()) {
    if (near[at] === 0) hidden.push(row);
    else {
      fold();
      shown.push(row);
    }
  }
  fold();
  return shown;
}

export function countRows(rows: readonly DiffRow[]): { added: number; gone: number } {
  const of = (kind: DiffRow['kind']) => rows.filter((row) => row.kind === kind).length;
  return { added: of('new'), gone: of('gone') };
}
