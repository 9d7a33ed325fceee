import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, codeOf, messageOf } from '../schemas/errors.ts';
import { isTemporary, writeAtomic } from './files/atomic-write.ts';
import { isLink, isThere } from './files/is-there.ts';
import { mapLimit } from './files/map-limit.ts';
import { readPlainFile } from './files/read-plain-file.ts';

export const MANIFEST_SUFFIX = '.yaml';
/** Source folders that the API makes; those that people make are theirs to remove. */
const API_SOURCES = /^sources\/build-[0-9a-f]{12}(-[0-9a-f]{8})?(?=\/|$)/;
const FOLDERS_AT_ONCE = 32;

/** Where everything of a registry lies, as absolute paths. */
export interface RegistryPaths {
  root: string;
  programs: string;
  sources: string;
  status: string;
  data: string;
  builds: string;
  buildHistory: string;
  events: string;
  revisions: string;
  usage: string;
  contexts: string;
  trash: string;
  locks: string;
  index: string;
}

export function registryPaths(root: string): RegistryPaths {
  const data = join(root, 'data');
  return {
    root,
    programs: join(root, 'programs'),
    sources: join(root, 'sources'),
    status: join(root, 'status'),
    data,
    builds: join(data, 'builds'),
    buildHistory: join(data, 'build-history'),
    events: join(data, 'events'),
    revisions: join(data, 'revisions'),
    usage: join(data, 'usage'),
    contexts: join(data, 'contexts'),
    trash: join(data, 'trash'),
    locks: join(data, 'locks'),
    index: join(data, 'index.ndjson'),
  };
}

/** The manifest of a name, relative to the root, and as people are told: `programs/x.yaml`. */
export function labelOf(name: string): string {
  return `programs/${name}${MANIFEST_SUFFIX}`;
}

/** `programs/x.yaml` → `x`. */
export function programOf(path: string): string | undefined {
  return /^programs\/([^/]+)\.yaml$/.exec(path)?.[1];
}

/** The folder a context lies in, where the API made it. */
export function sourcesFolderOf(context: string | undefined): string | undefined {
  return API_SOURCES.exec(context ?? '')?.[0];
}

/** A folder that the host alone writes, and what has to be in it. */
export interface OwnFolder {
  path: string;
  inner: readonly string[];
}

export function ownFolders(paths: RegistryPaths): OwnFolder[] {
  const { status, data, builds, buildHistory, events, revisions, usage, contexts, trash, locks } = paths;
  return [
    { path: status, inner: [] },
    { path: data, inner: [builds, buildHistory, events, revisions, usage, contexts, trash, locks] },
  ];
}

/** Makes what is missing of it. It is the owner's alone, and ignored by git. */
export async function makeOwnFolder({ path, inner }: OwnFolder): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  await writeIfOther(join(path, '.gitignore'), '*\n');
  for (const folder of inner) await mkdir(folder, { recursive: true, mode: 0o700 });
}

/**
 * Makes what is missing of a registry at the start of the host, and removes temporary files that a killed host
 * left. `programs/` is made only in a registry that has no `status/` yet: in one that was in use its absence is
 * damage, not an empty registry. What is wrong with the folders of people keeps no host from starting.
 * @param isInGit whether it is a git work tree, or a folder of one
 */
export async function prepareRegistry(paths: RegistryPaths, isInGit = false): Promise<void> {
  try {
    await mkdir(paths.root, { recursive: true });
    const fresh = !(await exists(paths.status));
    if (fresh) await mkdir(paths.programs, { recursive: true }).catch(() => undefined);
    await mkdir(paths.sources, { recursive: true }).catch(() => undefined);
    for (const own of ownFolders(paths)) await makeOwnFolder(own);
    await keepPrograms(paths, isInGit);
  } catch (error) {
    throw new AppError(
      'RegistryUnavailable',
      `the registry ${paths.root} can not be used: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'Check that the folder exists, is writable for this user and that the disk is not full.',
      },
    );
  }
  const { programs, sources, status, data, contexts, events, trash, revisions, buildHistory, usage } = paths;
  const perProgram: string[] = [];
  for (const folder of [revisions, buildHistory])
    for (const name of await readdir(folder).catch(() => [])) perProgram.push(join(folder, name));
  const folders = [programs, sources, status, data, contexts, events, trash, usage, ...perProgram];
  await mapLimit(folders, FOLDERS_AT_ONCE, removeTemporary);
}

/**
 * Git takes a folder away with the last file it tracks there, which would look like a disk that is gone. A file that
 * it ignores, itself included, keeps the folder.
 */
async function keepPrograms({ root, programs }: RegistryPaths, isInGit: boolean): Promise<void> {
  if (!isInGit && !(await isThere(join(root, '.git')))) return;
  // Where it is a link git tracks nothing in it, and what is behind it is not the host's to write to.
  if (await isLink(programs)) return;
  await writeFile(join(programs, '.gitignore'), '/.gitignore\n', { flag: 'wx' }).catch(() => undefined);
}

async function writeIfOther(path: string, text: string): Promise<void> {
  if ((await readPlainFile(path).catch(() => undefined)) === text) return;
  await writeAtomic(path, text, { durable: false });
}

async function removeTemporary(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (isTemporary(name))
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await readdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
