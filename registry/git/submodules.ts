import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { itemsIn } from './ask.ts';
import { type GitRun, wordsOf } from './run.ts';

/** Each may be a clone of its own. */
const SUBMODULE_SILENCE_MS = 120_000;

/** A commit says where a submodule is: over the net, unless who runs the host has allowed another way in git's configuration. */
const OVER_THE_NET = [
  ...['-c', 'protocol.allow=never'],
  ...['https', 'http', 'ssh', 'git'].flatMap((name) => ['-c', `protocol.${name}.allow=always`]),
];

/**
 * Brings the submodules, those within them as well, to the commits that the index names. What somebody changed in one
 * stays as it is.
 * @param top of the work tree
 * @param run git there
 * @param config tells git what addresses like `../lib.git` are relative to
 * @returns for people, those that could not be brought and why, or `""`
 */
export async function bringSubmodules(
  top: string,
  run: GitRun,
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  const listed = await run(['ls-files', '-z', '-s']);
  if (listed.code !== 0) return `git does not say which there are (${wordsOf(listed)})`;
  const paths = itemsIn(listed.stdout)
    .filter((line) => line.startsWith('160000 '))
    .map((line) => line.slice(line.indexOf('\t') + 1));
  const failed: string[] = [];
  // What the host writes is nobody's to bring.
  const isOwn = (path: string) => /^(status|data)(\/|$)/.test(path);
  // One by one, so that one that can not be had keeps no other back.
  for (const path of paths) {
    if (isOwn(path)) {
      failed.push(`${path} (a folder of the host itself)`);
      continue;
    }
    if (await isBrought(run, path)) continue;
    // The address as the commit has it: git keeps the first it ever saw.
    await run(['submodule', 'sync', '--recursive', '--', path], { config });
    const update = ['submodule', 'update', '--init', '--recursive', '--progress', '--', path];
    const bring = () => run([...OVER_THE_NET, ...update], { config, silenceMs: SUBMODULE_SILENCE_MS });
    let result = await bring();
    // A clone that was killed in its first moments is gone on with by git where the folder does not name it yet.
    if (result.code !== 0 && !(await hasCommit(run, path)) && (await forgetClone(join(top, path))))
      result = await bring();
    if (result.code !== 0) failed.push(`${path} (${wordsOf(result)})`);
  }
  return failed.join('; ');
}

/** git 2.39: one that is at its commit begins with a blank, and so do those within. */
async function isBrought(run: GitRun, path: string): Promise<boolean> {
  // Of one without a commit git says that it is at it.
  if (!(await hasCommit(run, path))) return false;
  const { code, stdout } = await run(['submodule', 'status', '--recursive', '--', path]);
  return (
    code === 0 && stdout !== '' && stdout.split('\n').every((line) => line === '' || line.startsWith(' '))
  );
}

async function hasCommit(run: GitRun, path: string): Promise<boolean> {
  return (await run(['-C', path, 'rev-parse', '-q', '--verify', 'HEAD^{commit}'])).code === 0;
}

/** @returns whether the folder named a repository, and does no more */
async function forgetClone(folder: string): Promise<boolean> {
  const link = join(folder, '.git');
  return lstat(link)
    .then(async (stats) => {
      if (stats.isFile()) await rm(link);
      return stats.isFile();
    })
    .catch(() => false);
}
