import { randomBytes } from 'node:crypto';
import { copyFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { isThere } from '../files/is-there.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { mustBeAsTheyAre } from './as-they-are.ts';
import { itemsIn } from './ask.ts';
import { pathsBehind } from './behind.ts';
import { type Intent, TEMP_INDEX_PREFIX } from './lock.ts';
import { headCommit } from './questions.ts';
import { type GitResult, type GitRun, wordsOf } from './run.ts';

/** Hooks of the user run within this. */
const COMMIT_MS_MAX = 30_000;
/** A clean filter of the user works within this, on all that a call brings. */
const ADD_MS_MAX = 120_000;
/** Who commits where nobody says who it is. `.invalid` never names a machine, so mail to these goes nowhere. */
export const HOST = { name: 'Hersh Host', email: 'host@hersh.invalid' };
const USER_DOMAIN = 'users.hersh.invalid';

/** Signing may ask for a passphrase; housekeeping is done apart, so that no call waits for it. */
const COMMIT_CONFIG = { 'commit.gpgSign': 'false', 'gc.auto': '0', 'maintenance.auto': 'false' };

/** Another git held a lock for a moment: the commit may be tried again. */
export class GitBusy extends Error {}

export interface CommitRequest {
  root: string;
  gitDir: string;
  run: GitRun;
  intent: Intent;
  /** Files and folders relative to the root, as they are in the work tree now; gone ones are committed as gone. */
  paths: readonly string[];
  /** Makes an empty commit where all are gone and HEAD has none of them: that they went is on record all the same. */
  onRecord?: boolean;
  /** Told what went wrong once the commit was made, which it stays. */
  onWarning: (fields: object, message: string) => void;
}

/** What a commit took in: paths that are there now, and paths that are gone. */
export interface Committed {
  there: readonly string[];
  gone: readonly string[];
}

/**
 * Commits these paths and nothing else, as `git commit --only` does, unless HEAD has them so already; the caller
 * holds the index lock. The work is
 * done on a copy of the index, which then takes its place: what others have staged stays staged, and a commit that
 * is refused leaves no trace.
 * @throws GitBusy; AppError `Conflict` with git's words where a hook or git itself refuses
 */
export async function commitPaths(request: CommitRequest): Promise<Committed> {
  const { root, gitDir, run } = request;
  const index = join(gitDir, 'index');
  const indexFile = join(gitDir, `${TEMP_INDEX_PREFIX}${randomBytes(6).toString('hex')}`);
  try {
    // A repository without a commit may have no index yet.
    await copyFile(index, indexFile).catch(unlessGone);
    const { there, gone, known } = await stage(run, root, request.paths, indexFile);
    const paths = [...there, ...known];
    if (paths.length > 0) {
      const isOther = await differs(run, paths, indexFile);
      if (isOther) await commit(request, ['--only', '--', ...paths], indexFile);
      await rename(indexFile, index).catch((error: unknown) => {
        if (!isOther) throw error;
        // HEAD has it: an edit that is taken back now would be one that everybody else still sees.
        request.onWarning(
          { error: messageOf(error) },
          'a commit was made, but the git index can not be written: git reset there brings it up to date',
        );
      });
    } else if (request.onRecord === true) {
      await emptyCommit(request, indexFile);
    } else {
      // It is gone from HEAD already: a host was killed between its commit and its index.
      await rename(indexFile, index).catch(unlessGone);
    }
    return { there, gone };
  } finally {
    await rm(indexFile, { force: true });
    await rm(`${indexFile}.lock`, { force: true });
  }
}

/** Adds what is there and takes out what is gone. `known`: which of the gone ones HEAD has. */
async function stage(
  run: GitRun,
  root: string,
  paths: readonly string[],
  indexFile: string,
): Promise<Committed & { known: string[] }> {
  const there: string[] = [];
  const gone: string[] = [];
  for (const path of paths) {
    // A manifest may be a link: what was written is the file behind it.
    const recorded = pathsBehind(root, path) ?? [path];
    if (await isThere(join(root, path))) there.push(...recorded);
    else gone.push(recorded.at(-1) ?? path);
  }
  // -f: what a POST brings belongs together, also where a .gitignore would leave a part out.
  if (there.length > 0) {
    must(await run(['add', '-f', '--', ...there], { indexFile, limitMs: ADD_MS_MAX }));
    await mustBeAsTheyAre(run, there, indexFile);
  }
  if (gone.length === 0) return { there, gone, known: [] };
  must(await run(['rm', '-r', '-q', '--cached', '--ignore-unmatch', '--', ...gone], { indexFile }));
  const inHead = await run(['ls-tree', '-z', '--name-only', 'HEAD', '--', ...gone]);
  const names = new Set(inHead.code === 0 ? itemsIn(inHead.stdout) : []);
  return { there, gone, known: gone.filter((path) => names.has(path)) };
}

async function differs(run: GitRun, paths: readonly string[], indexFile: string): Promise<boolean> {
  const { code } = await run(['diff', '--cached', '--quiet', 'HEAD', '--', ...paths], { indexFile });
  return code !== 0;
}

/** Commits, and leaves the index as HEAD has what the commit took in. */
async function commit(request: CommitRequest, options: readonly string[], indexFile: string): Promise<void> {
  const { run, intent, onWarning } = request;
  const { author, message } = intent;
  // What git would trim or refuse in a name.
  const name = author.replaceAll(/[^A-Za-z0-9._-]/g, '') || 'unknown';
  const before = await headCommit(run);
  const result = await run(['commit', '-q', '-F', '-', '--cleanup=whitespace', ...options], {
    indexFile,
    input: message,
    config: COMMIT_CONFIG,
    limitMs: COMMIT_MS_MAX,
    env: {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: `${name}@${USER_DOMAIN}`,
      GIT_COMMITTER_NAME: HOST.name,
      GIT_COMMITTER_EMAIL: HOST.email,
    },
  });
  if (result.code !== 0) {
    // A hook that runs once the commit is made may end it in failure, or by taking too long.
    if (!(await isMade(run, before))) must(result);
    onWarning({ error: wordsOf(result) }, 'a commit was made, and git failed after it: see its hooks');
  }
  await takeInHooks(run, before, indexFile);
}

/** Whether HEAD moved on from `before` by a commit of this host: the lock on the index lets no other git make one. */
async function isMade(run: GitRun, before: string): Promise<boolean> {
  const { code, stdout } = await run(['log', '-1', '--no-show-signature', '--format=%P%n%ce', 'HEAD']);
  const [parents, committer] = stdout.split('\n');
  return code === 0 && parents === before && committer === HOST.email;
}

/**
 * A hook may have changed files and added them. `commit --only` takes that into the commit alone, and an index that
 * has not got it says that it was taken back.
 */
async function takeInHooks(run: GitRun, before: string, indexFile: string): Promise<void> {
  const index = await run(['diff-index', '--cached', '-z', '--no-renames', 'HEAD'], { indexFile });
  const items = itemsIn(index.stdout);
  if (items.length === 0) return;
  const names = ['-r', '-z', '--name-only', '--no-renames'];
  const made = await run(
    before === ''
      ? ['diff-tree', '--root', '--no-commit-id', ...names, 'HEAD']
      : ['diff-tree', ...names, before, 'HEAD'],
  );
  const committed = new Set(itemsIn(made.stdout));
  const entries: string[] = [];
  for (let at = 0; at + 1 < items.length; at += 2) {
    const [mode, , id] = items[at]?.slice(1).split(' ') ?? [];
    const path = items[at + 1] ?? '';
    if (committed.has(path)) entries.push(`${mode === '000000' ? '0' : mode} ${id}\t${path}\0`);
  }
  if (entries.length === 0) return;
  await run(['update-index', '-z', '--index-info'], { indexFile, input: entries.join('') });
  await run(['update-index', '-q', '--refresh'], { indexFile, limitMs: ADD_MS_MAX });
}

async function emptyCommit(request: CommitRequest, indexFile: string): Promise<void> {
  const { run } = request;
  await rm(indexFile, { force: true });
  if ((await headCommit(run)) !== '') must(await run(['read-tree', 'HEAD'], { indexFile }));
  await commit(request, ['--allow-empty'], indexFile);
}

function must(result: GitResult): void {
  if (result.code === 0) return;
  const words = wordsOf(result);
  if (/\.lock': File exists|cannot lock ref/.test(result.stderr)) throw new GitBusy(words);
  const isDisk = /No space left|Read-only file system|Permission denied/i.test(result.stderr);
  if (result.code === 124 || result.code === 127 || isDisk) {
    throw new AppError('RegistryUnavailable', `git could not commit the change: ${words}`, {
      hint: 'Nothing was changed. Check the disk, the permissions of .git and the hooks of the repository.',
    });
  }
  throw new AppError('Conflict', `git refused the commit: ${words}`, {
    hint: 'Nothing was changed. A hook of the repository, or its configuration, is in the way.',
  });
}
