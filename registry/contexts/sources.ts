import { lstat, mkdir, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildHashSteps, buildIdOf } from '../../schemas/build-id.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { ROOT_FOLDERS_LEFT_OUT } from '../../schemas/resolve.ts';
import { isTemporary } from '../files/atomic-write.ts';
import { listFolder } from '../files/list-folder.ts';
import { mapLimit } from '../files/map-limit.ts';
import { openAtHome } from '../files/open-at-home.ts';
import { inSlices } from '../files/pause.ts';
import { contentOfFiles, foldersAbove, MODE_FILE, modeOf } from './entries.ts';
import { leadsOut, locate, type MayLink } from './folder.ts';
import { type OnPlace, type PlacedSources, placeSources } from './source-folder.ts';
import { sha256 } from './tar.ts';
import { createWork } from './work.ts';

/** The most `GET /programs/{id}/source` gives back: as much as a `POST` may bring. */
const SOURCE_BYTES_MAX = 32 * 2 ** 20;

/** Each waits for the disk, and many together wait no longer than one. */
const WRITES_AT_ONCE = 16;

/**
 * The build id of files that a `POST` brought, equal to that of the folder they are written to.
 * Rejects `BadRequest` for a malformed .dockerignore among them.
 */
export async function buildIdOfFiles(files: ReadonlyMap<string, string>): Promise<string> {
  const build = { context: '.', dockerfile: 'Dockerfile', args: {} };
  try {
    const content = await contentOfFiles(files, build, sha256, createWork());
    return buildIdOf(await inSlices(buildHashSteps(build.dockerfile, build.args, content)));
  } catch (error) {
    throw new AppError('BadRequest', `.dockerignore can not be used: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Writes the files under `sources/<buildId>/`, all or nothing.
 * A folder that holds the same already is shared; one that somebody changed is left alone and another is made.
 */
export async function writeSources(
  root: string,
  buildId: string,
  files: ReadonlyMap<string, string>,
  onPlace?: OnPlace,
): Promise<PlacedSources> {
  try {
    return await placeSources(
      root,
      buildId,
      (folder) => holdsExactly(join(root, folder), files),
      (path) => writeFiles(path, files),
      onPlace,
    );
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('RegistryUnavailable', `the sources can not be written: ${messageOf(error)}`, {
      cause: error,
      hint: 'Is the disk full, or sources/ not writable?',
    });
  }
}

async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const folders = new Set([...files.keys()].map((name) => dirname(join(folder, name))));
  for (const path of folders) await mkdir(path, { recursive: true });
  await mapLimit([...files], WRITES_AT_ONCE, ([name, text]) =>
    writeFile(join(folder, name), text, { mode: 0o644, flag: 'wx', flush: true }),
  );
}

/** Whether a folder holds these files and nothing else: one made executable, or a link, is another context. */
async function holdsExactly(folder: string, files: ReadonlyMap<string, string>): Promise<boolean> {
  const tree = await readTree(folder, false).catch(() => undefined);
  if (tree === undefined || tree.files.size !== files.size) return false;
  const folders = new Set([...files.keys()].flatMap(foldersAbove));
  if (tree.folders.size !== folders.size) return false;
  return [...files].every(([name, text]) => {
    const found = tree.files.get(name);
    return found?.mode === MODE_FILE && found.bytes.equals(Buffer.from(text));
  });
}

/**
 * Every file of a context as text, the Dockerfile also under `Dockerfile`. Links are given as their target.
 * Rejects `PayloadTooLarge`, or `NotFound` where the folder is gone.
 */
export async function readSource(
  root: string,
  build: BuildSpec,
  mayLink: MayLink = async () => true,
): Promise<Record<string, string>> {
  let tree: Tree;
  try {
    const { folder, isRoot, bounds } = await locate(root, build.context, mayLink);
    tree = await readTree(folder, isRoot, (real) => leadsOut(bounds, real));
  } catch (error) {
    if (error instanceof AppError && error.reason === 'PayloadTooLarge') throw error;
    throw new AppError('NotFound', `the sources can not be read: ${messageOf(error)}`, { cause: error });
  }
  const files = Object.fromEntries(
    [...tree.files].map(([name, { bytes }]) => [name, bytes.toString('utf8')]),
  );
  const dockerfile = files[build.dockerfile];
  return dockerfile === undefined ? files : { ...files, Dockerfile: dockerfile };
}

interface Tree {
  files: Map<string, { mode: number; bytes: Buffer }>;
  folders: Set<string>;
}

/** @param isRoot whether it is the registry itself, of which the reserved folders are no part */
async function readTree(
  folder: string,
  isRoot: boolean,
  isOut: (real: string) => boolean = () => false,
): Promise<Tree> {
  const tree: Tree = { files: new Map(), folders: new Set() };
  let bytes = 0;
  const visit = async (inner: string, at: string | Buffer): Promise<void> => {
    for (const { base, path } of await listFolder(at)) {
      const name = inner === '' ? base : `${inner}/${base}`;
      if ((isRoot && ROOT_FOLDERS_LEFT_OUT.includes(name)) || isTemporary(base)) continue;
      const stats = await lstat(path);
      if (stats.isDirectory()) {
        tree.folders.add(name);
        await visit(name, path);
      } else if (stats.isFile() || stats.isSymbolicLink()) {
        bytes += stats.size;
        if (bytes > SOURCE_BYTES_MAX) {
          throw new AppError('PayloadTooLarge', `the sources are larger than ${SOURCE_BYTES_MAX} bytes`);
        }
        const content = stats.isFile() ? await bytesOf(path, isOut) : Buffer.from(await readlink(path));
        tree.files.set(name, { mode: modeOf(stats), bytes: content });
      }
    }
  };
  await visit('', folder);
  return tree;
}

/** Of a file that was one when it was looked at. */
async function bytesOf(path: string | Buffer, isOut: (real: string) => boolean): Promise<Buffer> {
  const file = await openAtHome(path, isOut);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}
