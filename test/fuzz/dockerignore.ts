import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { foldersAbove } from '../../registry/contexts/entries.ts';
import { FORM } from '../../registry/contexts/form.ts';
import { walkContext } from '../../registry/contexts/walk.ts';
import { createWork } from '../../registry/contexts/work.ts';
import { mapLimit } from '../../registry/files/map-limit.ts';
import { openOtherEngine } from '../other-engines/open-engine.ts';
import { ensureUnpacked } from '../other-engines/unpacked.ts';
import { type Say, SetupError } from '../setup/say.ts';
import { createRandom } from '../sim/random.ts';
import { ensureBuildx, openBuildx, type Sent, SUITE } from './buildx.ts';
import { type RandomContext, randomContext } from './random-context.ts';

/** So many to one run of buildx. */
const BATCH = 50;
/** More say nothing new. */
const SHOWN_MAX = 10;
const FOLDER = '(folder)';
/**
 * What buildx 0.13.1 lists by one rule and then opens by another, which refuses it, arrives as an empty file
 * (`**\/*`, `!b/c/d` and `b/c` for `b/c/d`). Nobody can want that: here it has its contents.
 */
const EMPTIED = '';
const NO_ANSWER = new Error('no answer');

/**
 * Compares what a random context gives to a build, by this host and by buildx. Case n of a seed is the same at any
 * number of cases. Gives how many differ.
 */
export async function fuzzDockerignore(
  say: Say,
  cases: number,
  seed: number,
  stop: AbortSignal,
): Promise<number> {
  // One that writes to memory alone: a build waits for the disk most of its time, and leaves something on it.
  const engine = await openOtherEngine(await ensureUnpacked(say, SUITE), []);
  const buildx = await openBuildx(await ensureBuildx(say), engine.host, readTree);
  const root = mkdtempSync(join(tmpdir(), 'hersh-fuzz-'));
  let refused = 0;
  let emptied = 0;
  let differing = 0;
  say(`Comparing ${cases} contexts with buildx ${buildx.version}, seed ${seed}`);
  try {
    for (let first = 0; first < cases; first += BATCH) {
      if (stop.aborted) throw new SetupError('Stopped');
      const numbers = Array.from({ length: Math.min(BATCH, cases - first) }, (_, index) => first + index);
      const made = numbers.map((number) =>
        write(root, number, randomContext(createRandom(seed * 1e6 + number))),
      );
      const ours = await mapLimit(made, 1, ({ folder }) => send(root, folder));
      // One that fails fails all that are sent with it.
      const alone = made.filter((_, index) => ours[index] instanceof Error).map(({ folder }) => folder);
      const together = made.map(({ folder }) => folder).filter((folder) => !alone.includes(folder));
      const theirs = new Map<string, Sent>();
      for (const folders of [together, ...alone.map((folder) => [folder])]) {
        const sent = await buildx.send(folders);
        for (const [index, folder] of folders.entries()) theirs.set(folder, sent[index] ?? NO_ANSWER);
      }
      for (const [index, { folder, context }] of made.entries()) {
        const mine = ours[index] ?? NO_ANSWER;
        const difference = differenceOf(mine, theirs.get(folder) ?? NO_ANSWER);
        if (mine instanceof Error) refused++;
        else if (isEmptied(mine, theirs.get(folder) ?? NO_ANSWER)) emptied++;
        if (difference !== '' && differing++ < SHOWN_MAX)
          say(report(numbers[index] ?? 0, context, difference));
        rmSync(folder, { recursive: true });
      }
      if ((first / BATCH) % 10 === 9)
        say(`${first + BATCH}: ${differing} differ, ${refused} are refused by both`);
    }
    say(
      `${cases} compared: ${differing} differ; ${refused} refused by both; ${emptied} with a file that buildx empties`,
    );
    return differing;
  } finally {
    buildx.close();
    await engine.close();
    rmSync(root, { recursive: true, force: true });
  }
}

function write(
  root: string,
  number: number,
  context: RandomContext,
): { folder: string; context: RandomContext } {
  const folder = join(root, `case${number}`);
  for (const [name, text] of context) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { folder, context };
}

/** What this host gives to a build of it. */
async function send(root: string, folder: string): Promise<Sent> {
  const build = { context: relative(root, folder), dockerfile: 'Dockerfile', args: {} };
  try {
    const options = {
      root,
      mayLink: async () => false,
      build,
      form: FORM,
      work: createWork(),
      before: new Map(),
      nowMs: Date.now() + 60_000,
    };
    const { entries } = await walkContext(options);
    const names = entries.map(({ name }) => name);
    const folders = names.flatMap(foldersAbove).map((name): [string, string] => [name, FOLDER]);
    const isFolder = new Set(
      entries.filter(({ size, statKey }) => size === 0 && statKey === '').map(({ name }) => name),
    );
    const files = names.map((name): [string, string] => [
      name,
      isFolder.has(name) ? FOLDER : readFileSync(join(folder, name), 'utf8'),
    ]);
    return new Map([...folders, ...files]);
  } catch (error) {
    return error as Error;
  }
}

function readTree(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), entry.isDirectory() ? FOLDER : readFileSync(path, 'utf8')];
    }),
  );
}

function isEmptied(ours: Exclude<Sent, Error>, theirs: Sent): boolean {
  return (
    !(theirs instanceof Error) &&
    [...ours].some(([name, text]) => theirs.get(name) === EMPTIED && text !== EMPTIED)
  );
}

function differenceOf(ours: Sent, theirs: Sent): string {
  if (ours instanceof Error || theirs instanceof Error) {
    if (ours instanceof Error && theirs instanceof Error) return '';
    return ours instanceof Error ? `only we refuse: ${ours.message}` : `only buildx refuses: ${theirs}`;
  }
  const more = [...ours.keys()].filter((name) => !theirs.has(name));
  const fewer = [...theirs.keys()].filter((name) => !ours.has(name));
  const other = [...ours].filter(
    ([name, text]) => theirs.has(name) && ![text, EMPTIED].includes(theirs.get(name) ?? ''),
  );
  const lists: [string, string[]][] = [
    ['only we send', more],
    ['only buildx sends', fewer],
    ['with other contents', other.map(([name]) => name)],
  ];
  return lists
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what} ${JSON.stringify(names)}`)
    .join('; ');
}

function report(number: number, context: RandomContext, difference: string): string {
  const rules = context.get('.dockerignore') ?? context.get('Dockerfile.dockerignore') ?? '';
  return `case ${number}: ${difference}\n  rules ${JSON.stringify(rules)}\n  files ${JSON.stringify([...context.keys()])}`;
}
