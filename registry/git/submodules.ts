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
 * @param run git at the top of the work tree
 * @param config tells git what addresses like `../lib.git` are relative to
 * @returns for people, those that could not be brought and why, or `""`
 */
export async function bringSubmodules(
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
    const result = await run([...OVER_THE_NET, ...update], { config, silenceMs: SUBMODULE_SILENCE_MS });
    if (result.code !== 0) failed.push(`${path} (${wordsOf(result)})`);
  }
  return failed.join('; ');
}

/** git 2.39: one that is at its commit begins with a blank, and so do those within. */
async function isBrought(run: GitRun, path: string): Promise<boolean> {
  const { code, stdout } = await run(['submodule', 'status', '--recursive', '--', path]);
  return (
    code === 0 && stdout !== '' && stdout.split('\n').every((line) => line === '' || line.startsWith(' '))
  );
}
