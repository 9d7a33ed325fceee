import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, codeOf, messageOf } from '../schemas/errors.ts';
import { isTemporary, writeAtomic } from './files/atomic-write.ts';
import { HOST } from './git/commit.ts';
import { createGitRun, wordsOf } from './git/run.ts';
import { makeOwnFolder, ownFolders, registryPaths } from './paths.ts';
import { keepRegistryId, newRegistryId, readRegistryId } from './records/registry-id.ts';

/** What says that a folder was made to be a registry. It goes with a clone. */
export const MARK = 'registry.yaml';
/** Lies there as long as the registry is being made: whoever comes after one that was killed goes on. */
const UNDER_WAY = '.hersh-init';
/** Folders of which a host that has run here has made at least one. */
const USED = ['status', 'data'];
const NAMES_SHOWN = 3;

const FILES: Readonly<Record<string, string>> = {
  '.gitignore': `# What the host alone writes, and what nobody should commit.
/status/
/data/
/secrets/
.hersh-tmp-*
`,
  'README.md': `# A registry of Hersh Host

- \`programs/NAME.yaml\`: what is to run, a file for each program; yours. Saving it is enough.
- \`sources/\`: what images are built from; a manifest names its folder, as \`context: sources/NAME\`.
- \`status/\`: what is; the host's. Read it, do not edit it.
- \`data/\`: the host's records: logs, history, trash, and the id of this registry.
- \`secrets/\`: in no commit and in no build.
- \`registry.yaml\`: says that this folder is a registry.

Start a host on it: \`hersh-host --registry .\`. Back up all of it, with the host stopped, and the volumes (\`docker volume ls\`).
`,
};

const MARK_TEXT = `# This folder is a registry of Hersh Host: see README.md.
apiVersion: hersh.dev/v1
kind: Registry
`;

/** Whether `hersh-host init` made that folder a registry. */
export async function isMade(root: string): Promise<boolean> {
  const stats = await stat(join(root, MARK)).catch(() => undefined);
  return stats?.isFile() === true;
}

/**
 * Makes a folder a registry, with an id of its own, or goes on where one was killed that began to.
 * @param withGit makes it a git work tree too, with what is in it as the first commit
 * @returns whether it made anything: false of a registry, which stays as it is
 * Rejects `Conflict` where the folder holds something else, and `RegistryUnavailable` where it can not be written.
 */
export async function makeRegistry(root: string, withGit: boolean): Promise<boolean> {
  try {
    if (!(await mayMake(root))) return false;
    const paths = registryPaths(root);
    await mkdir(root, { recursive: true });
    await writeFile(join(root, UNDER_WAY), '');
    for (const folder of [paths.programs, paths.sources]) await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(FILES)) await writeIfMissing(join(root, name), text);
    for (const own of ownFolders(paths)) await makeOwnFolder(own);
    if ((await readRegistryId(root)) === undefined) await keepRegistryId(root, newRegistryId());
    await writeIfMissing(join(root, MARK), MARK_TEXT);
    if (withGit) await commitAll(root);
    for (const name of await readdir(root)) if (isTemporary(name)) await rm(join(root, name));
    await rm(join(root, UNDER_WAY), { force: true });
    return true;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('RegistryUnavailable', `${root} can not be made a registry: ${messageOf(error)}`, {
      cause: error,
      hint: 'Check that the folder is writable for this user and that the disk is not full.',
    });
  }
}

/** Whether there is something to make. Rejects `Conflict`. */
async function mayMake(root: string): Promise<boolean> {
  const names = await readdir(root).catch((error: unknown): string[] => {
    if (codeOf(error) === 'ENOENT') return [];
    if (codeOf(error) === 'ENOTDIR') throw new AppError('Conflict', `${root} is a file, and no folder`);
    throw error;
  });
  if (names.includes(UNDER_WAY)) return true;
  if (names.includes(MARK)) return false;
  // A host was started on it before there was a mark.
  if (names.includes('programs') && names.some((name) => USED.includes(name))) return false;
  const others = names.filter((name) => name !== '.git' && !isTemporary(name));
  if (others.length === 0) return true;
  const shown = others.slice(0, NAMES_SHOWN).join(', ') + (others.length > NAMES_SHOWN ? ', …' : '');
  throw new AppError('Conflict', `${root} is not empty (${shown}), and is no registry`, {
    hint: 'Name a folder that is empty, or not there yet. Manifests that lie in a folder already are run as they are: hersh-host --registry DIR.',
  });
}

async function writeIfMissing(path: string, text: string): Promise<void> {
  await writeAtomic(path, text, { exclusive: true }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/** The first commit, where there is none yet. By whoever git says that this is, or by the host. */
async function commitAll(root: string): Promise<void> {
  const run = createGitRun(root);
  const must = async (args: readonly string[], env: Record<string, string> = {}) => {
    const result = await run(args, { env, config: { 'commit.gpgSign': 'false' } });
    if (result.code === 0) return;
    throw new AppError('RegistryUnavailable', `git ${args[0]} failed in ${root}: ${wordsOf(result)}`, {
      hint: 'Mend that and give the same command again, or leave out --git.',
    });
  };
  const isThere = await stat(join(root, '.git')).catch(() => undefined);
  if (isThere === undefined) await must(['init', '-q', '--initial-branch=main']);
  if ((await run(['rev-parse', '--verify', '-q', 'HEAD'])).code === 0) return;
  const files = [...Object.keys(FILES), MARK];
  await must(['add', '-f', '--', ...files]);
  const name = (await run(['config', 'user.email'])).code === 0 ? {} : AUTHOR;
  await must(['commit', '-q', '-m', 'A registry of Hersh Host', '--', ...files], name);
}

const AUTHOR = {
  ...{ GIT_AUTHOR_NAME: HOST.name, GIT_AUTHOR_EMAIL: HOST.email },
  ...{ GIT_COMMITTER_NAME: HOST.name, GIT_COMMITTER_EMAIL: HOST.email },
};
