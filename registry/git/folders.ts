import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { codeOf } from '../../schemas/errors.ts';
import type { GitFolders } from './head.ts';
import { type GitRun, wordsOf } from './run.ts';

/**
 * Where git keeps what it knows of the work tree whose top is `root`; undefined where there is none, or git does not
 * work there.
 * @param onUnused told the latter, for people
 */
export async function findFolders(
  root: string,
  run: GitRun,
  onUnused: (why: string) => void,
): Promise<GitFolders | undefined> {
  const result = await run(['rev-parse', '--show-toplevel', '--absolute-git-dir', '--git-common-dir']);
  const [top = '', gitDir = '', commonDir = ''] = result.stdout.split('\n');
  const isHere = await realpath(join(root, '.git')).then(
    () => true,
    (error) => codeOf(error) !== 'ENOENT',
  );
  if (result.code === 0 && top === (await realpath(root).catch(() => ''))) {
    // By way of the root, so that all moves together when the root is a link that is turned.
    const here = gitDir === join(top, '.git') ? join(root, '.git') : gitDir;
    return { gitDir: here, commonDir: commonDir.startsWith('/') ? commonDir : resolve(root, commonDir) };
  }
  if (isHere) {
    const mend = 'Mend that as the user the host runs as, and start the host again';
    onUnused(
      `the registry has a .git, but git does not work there, so edits are no commits: ${wordsOf(result)}. ${mend}`,
    );
  }
  return undefined;
}
