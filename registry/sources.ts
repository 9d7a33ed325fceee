import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildHash, buildIdOf } from '../schemas/build-id.ts';
import { AppError, messageOf } from '../schemas/errors.ts';
import type { BuildSpec } from '../schemas/program.ts';
import { syncFolder, TEMP_PREFIX } from './atomic-write.ts';
import { locate } from './context.ts';
import { entriesOfFiles } from './context-entries.ts';

/** The most `GET /programs/{id}/source` gives back: as much as a `POST` may bring. */
const SOURCE_BYTES_MAX = 32 * 2 ** 20;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The build id of files that a `POST` brought, equal to that of the folder they are written to. */
export function buildIdOfFiles(files: ReadonlyMap<string, string>): string {
  return buildIdOf(buildHash('Dockerfile', {}, entriesOfFiles(files, 'Dockerfile', sha256)));
}

/** Where the files of a `POST` lie, relative to the registry, and whether they were not there before. */
export interface WrittenSources {
  context: string;
  isNew: boolean;
}

/**
 * Writes the files under `sources/<buildId>/`, all or nothing.
 * A folder that holds the same already is shared; one that somebody changed is left alone and another is made.
 */
export async function writeSources(
  root: string,
  buildId: string,
  files: ReadonlyMap<string, string>,
): Promise<WrittenSources> {
  const sources = join(root, 'sources');
  const temp = join(sources, `${TEMP_PREFIX}${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(temp, { recursive: true });
    for (const [name, text] of files) {
      const path = join(temp, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text, { mode: 0o644, flag: 'wx', flush: true });
    }
    for (let suffix = ''; ; suffix = `-${randomBytes(4).toString('hex')}`) {
      const folder = join(sources, `${buildId}${suffix}`);
      const context = `sources/${buildId}${suffix}`;
      if (await holdsExactly(folder, files)) return { context, isNew: false };
      if (await lstat(folder).catch(() => undefined)) continue;
      await rename(temp, folder);
      await syncFolder(sources);
      return { context, isNew: true };
    }
  } catch (error) {
    throw new AppError('RegistryUnavailable', `the sources can not be written: ${messageOf(error)}`, {
      cause: error,
      hint: 'Is the disk full, or sources/ not writable?',
    });
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

async function holdsExactly(folder: string, files: ReadonlyMap<string, string>): Promise<boolean> {
  const found = await readTree(folder).catch(() => undefined);
  if (found === undefined || found.size !== files.size) return false;
  return [...files].every(([name, text]) => found.get(name)?.equals(Buffer.from(text)) === true);
}

/**
 * Every file of a context as text, the Dockerfile also under `Dockerfile`. Links are given as their target.
 * Rejects `PayloadTooLarge`, or `NotFound` where the folder is gone.
 */
export async function readSource(root: string, build: BuildSpec): Promise<Record<string, string>> {
  let tree: Map<string, Buffer>;
  try {
    tree = await readTree(await locate(root, build.context), build.context === '.');
  } catch (error) {
    if (error instanceof AppError && error.reason === 'PayloadTooLarge') throw error;
    throw new AppError('NotFound', `the sources can not be read: ${messageOf(error)}`, { cause: error });
  }
  const files = Object.fromEntries([...tree].map(([name, bytes]) => [name, bytes.toString('utf8')]));
  const dockerfile = files[build.dockerfile];
  return dockerfile === undefined ? files : { ...files, Dockerfile: dockerfile };
}

async function readTree(folder: string, isRoot = false): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let bytes = 0;
  const visit = async (inner: string): Promise<void> => {
    for (const entry of await readdir(join(folder, inner), { withFileTypes: true })) {
      const name = inner === '' ? entry.name : `${inner}/${entry.name}`;
      const path = join(folder, name);
      if (isRoot && ['.git', 'status', 'data'].includes(name)) continue;
      if (entry.isDirectory()) await visit(name);
      else if (entry.isFile() || entry.isSymbolicLink()) {
        bytes += (await lstat(path)).size;
        if (bytes > SOURCE_BYTES_MAX) {
          throw new AppError('PayloadTooLarge', `the sources are larger than ${SOURCE_BYTES_MAX} bytes`);
        }
        files.set(name, entry.isFile() ? await readFile(path) : Buffer.from(await readlink(path)));
      }
    }
  };
  await visit('');
  return files;
}
