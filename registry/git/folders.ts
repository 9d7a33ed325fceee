import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { codeOf } from '../../schemas/errors.ts';
import type { GitFolders } from './head.ts';
import { type GitRun, wordsOf } from './run.ts';

/** The work tree that a registry lies in. */
export interface WorkTree extends GitFolders {
  /** Its top, which is the registry itself or a folder above it. */
  top: string;
  /** The registry relative to the top, ending with `/`; `""` where it is the top. */
  prefix: string;
}

/**
 * Where git keeps what it knows of the work tree that `root` is the top of, or a folder in; undefined where there is
 * none, git does not work there, or the repository above leaves the registry's manifests out.
 * @param run git at the root, that may find a repository above it
 * @param onUnused told, for people, where there is a `.git` in the root and it is not used
 */
export async function findFolders(
  root: string,
  run: GitRun,
  onUnused: (why: string) => void,
): Promise<WorkTree | undefined> {
  const result = await run(['rev-parse', '--show-toplevel', '--absolute-git-dir', '--git-common-dir']);
  const [top = '', gitDir = '', commonDir = ''] = result.stdout.split('\n');
  const real = await realpath(root).catch(() => '');
  const isHere = await hasOwn(root);
  if (result.code === 0 && top === real) {
    // By way of the root, so that all moves together when the root is a link that is turned.
    const here = gitDir === join(top, '.git') ? join(root, '.git') : gitDir;
    return { gitDir: here, commonDir: resolve(root, commonDir), top: root, prefix: '' };
  }
  if (isHere) {
    const mend = 'Mend that as the user the host runs as, and start the host again';
    onUnused(
      `the registry has a .git, but git does not work there, so edits are no commits: ${wordsOf(result)}. ${mend}`,
    );
    return undefined;
  }
  if (result.code !== 0 || !real.startsWith(`${top}/`)) return undefined;
  // As the registry of a clone of this program: what people deploy there is theirs.
  const left = await run(['check-ignore', '-q', '--', 'programs/x.yaml'], {
    env: { GIT_LITERAL_PATHSPECS: '0' },
  });
  if (left.code !== 1) return undefined;
  return { gitDir, commonDir: resolve(root, commonDir), top, prefix: `${relative(top, real)}/` };
}

/**
 * Whether git may find a repository from there upwards: some folder has a `.git`, or the `HEAD` of one without a work
 * tree. Costs no process, where most registries are in none.
 */
export async function mayBeInGit(root: string): Promise<boolean> {
  const real = await realpath(root).catch(() => undefined);
  if (real === undefined) return true;
  for (let folder = real; ; folder = dirname(folder)) {
    for (const name of ['.git', 'HEAD']) if (!(await isSurelyMissing(join(folder, name)))) return true;
    if (folder === dirname(folder)) return false;
  }
}

function isSurelyMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error) => codeOf(error) === 'ENOENT',
  );
}

/** Whether the root has a repository of its own, whatever state it is in. */
export async function hasOwn(root: string): Promise<boolean> {
  return realpath(join(root, '.git')).then(
    () => true,
    (error) => codeOf(error) !== 'ENOENT',
  );
}
