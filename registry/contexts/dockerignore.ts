import { type IgnoreLine, ofLine, readIgnoreLines } from './ignore-lines.ts';
import { type Pattern, patternOf } from './ignore-pattern.ts';
import { createWork, SLICE_STEPS, TooMuchWork, type Work } from './work.ts';

interface Rule extends IgnoreLine {
  /** From when it is first asked: of many lines most never are. */
  compiled?: Pattern;
}

/** What is left out of a context. Names are asked for folder by folder, a folder before what lies in it. */
export interface IgnoreRules {
  /** @param name relative to the context, with `/` @throws Error that names the line that can not be used */
  leavesOut(name: string, isFolder: boolean): Promise<boolean>;
  /** Whether anything in a folder that is left out may be let in again. */
  mayLetIn(folder: string): boolean;
}

/** Of all folders above a name, so many matches are kept: four bytes each. */
const KEPT_MAX = 2_000_000;

/** A folder that was asked for: which rules match it. */
interface Folder {
  name: string;
  matched: ArrayLike<number>;
}

/**
 * Reads a `.dockerignore` as buildx 0.13.1 does (moby/patternmatcher, tonistiigi/fsutil). A rule that matches a folder
 * covers what lies in it, and the last rule that matches counts; but an exception is only asked where something is
 * left out so far, and any other only where nothing is. `npm run fuzz -- dockerignore` compares the two.
 * @throws Error that names the line of a malformed pattern, or says that they are too much work
 */
export async function readDockerignore(text: string, work: Work): Promise<IgnoreRules> {
  const { judge, mayLetIn } = await work.run(judgeOf(text, work));
  return { leavesOut: (name, isFolder) => work.run(judge(name, isFolder)), mayLetIn };
}

/**
 * Whether any of these files is not left out, found out at one go.
 * @throws as `readDockerignore`, and soon where it is much work: everything else waits for it
 */
export function letsInAny(text: string, names: readonly string[]): boolean {
  const work = createWork(undefined, SLICE_STEPS);
  const { judge } = atOnce(judgeOf(text, work));
  return names.some((name) => !atOnce(judge(name, false)));
}

function atOnce<T>(steps: Generator<void, T>): T {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

interface Judge {
  judge(name: string, isFolder: boolean): Generator<void, boolean>;
  mayLetIn(folder: string): boolean;
}

function* judgeOf(text: string, work: Work): Generator<void, Judge> {
  const rules: Rule[] = yield* readIgnoreLines(text, work);
  const mayLetIn = lettingIn(rules);
  let above: Folder[] = [];

  function* judge(name: string, isFolder: boolean): Generator<void, boolean> {
    above = above.filter((folder) => name.startsWith(`${folder.name}/`));
    for (const folder of foldersBetween(above.at(-1)?.name, name)) yield* judge(folder, true);
    const parent: ArrayLike<number> = above.at(-1)?.matched ?? [];
    const matched: number[] = [];
    let isOut = false;
    let next = 0;
    for (const [index, rule] of rules.entries()) {
      if (work.spend(1)) yield;
      let matches = parent[next] === index;
      if (matches) next++;
      else if (rule.isException !== isOut) continue;
      else matches = yield* asked(rule, name, work);
      if (!matches) continue;
      matched.push(index);
      isOut = !rule.isException;
    }
    if (isFolder) above.push({ name, matched: keptOf(matched, parent, above) });
    return isOut;
  }

  return { judge, mayLetIn };
}

/** What is kept of a folder. Most match what the one above does, and have it in common. */
function keptOf(
  matched: readonly number[],
  parent: ArrayLike<number>,
  above: readonly Folder[],
): ArrayLike<number> {
  if (matched.length === parent.length && matched.every((index, at) => index === parent[at])) return parent;
  const kept = new Set(above.map((folder) => folder.matched));
  const numbers = [...kept].reduce((sum, one) => sum + one.length, matched.length);
  if (numbers > KEPT_MAX) throw new TooMuchWork('so many of its rules match each of so many folders');
  return Uint32Array.from(matched);
}

/** Docker says nothing of what is wrong with a pattern that it never comes to ask. */
function* asked(rule: Rule, name: string, work: Work): Generator<void, boolean> {
  try {
    rule.compiled ??= patternOf(rule.pattern);
    return yield* rule.compiled.matches(name, work);
  } catch (error) {
    throw error instanceof TooMuchWork ? error : ofLine(rule.number, error);
  }
}

/** The folders above a name, outermost first, that are not known yet. */
function foldersBetween(known: string | undefined, name: string): string[] {
  const parts = name.slice(known === undefined ? 0 : known.length + 1).split('/');
  const start = known === undefined ? [] : [known];
  return parts.slice(1).map((_, depth) => [...start, ...parts.slice(0, depth + 1)].join('/'));
}

/**
 * Docker does not look into a folder that is left out where no exception can be about what lies in it, which only
 * shows in the time it takes, and in what may be unreadable in there.
 */
function lettingIn(rules: readonly Rule[]): (folder: string) => boolean {
  const wholes = rules
    .filter(({ isException }) => isException)
    .map(({ pattern }) => pattern.replace(/\/\*\*$/, '').replace(/\/\*$/, ''));
  if (wholes.some((pattern) => /[*[\]?^\\]/.test(pattern))) return () => true;
  const folders = new Set(wholes.flatMap((pattern) => [...foldersBetween(undefined, pattern), pattern]));
  return (folder) => folders.has(folder);
}
