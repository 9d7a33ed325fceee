import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { type OnPlace, type PlacedSources, placeSources } from './source-folder.ts';
import { nameInContext } from './tar.ts';

/** What is kept of a build is not what it was built from: a disk that failed, or somebody's hand. */
export function damagedSources(reason: 'Conflict' | 'RegistryUnavailable', buildId: string): AppError {
  return new AppError(reason, `the kept sources of ${buildId} are damaged`, {
    hint: 'Put the sources back by hand, or roll back to another revision.',
  });
}

/**
 * Puts the snapshot of a context back under `sources/<buildId>`, all or nothing.
 * @param snapshot path of the tar
 * @param isWhole whether the tar holds what it should
 * @param holdsSame whether a folder, relative to the registry, holds what the snapshot does already
 */
export async function restoreContext(
  root: string,
  snapshot: string,
  buildId: string,
  isWhole: () => Promise<boolean>,
  holdsSame: (folder: string) => Promise<boolean>,
  onPlace: OnPlace,
): Promise<PlacedSources> {
  if (!(await stat(snapshot).catch(() => undefined))?.isFile()) {
    throw new AppError('Conflict', `the sources of ${buildId} are not kept any more`, {
      hint: 'Put the sources back by hand, or roll back to a revision whose sources are there.',
    });
  }
  // Before it is unpacked: of one that is damaged the names are not to be trusted either.
  if (!(await isWhole())) throw damagedSources('Conflict', buildId);
  try {
    const fill = async (path: string) => {
      await unpack(snapshot, path);
      if (!(await holdsSame(relative(root, path)))) throw damagedSources('Conflict', buildId);
    };
    return await placeSources(root, buildId, holdsSame, fill, onPlace);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('RegistryUnavailable', `the sources can not be restored: ${messageOf(error)}`, {
      cause: error,
      hint: 'Is the disk full, or sources/ not writable?',
    });
  }
}

/** Snapshots are the host's own: names are relative and clean, folders come before what they hold. */
async function unpack(snapshot: string, target: string): Promise<void> {
  const unpacked = extract();
  const read = pipeline(createReadStream(snapshot), unpacked);
  const write = async (): Promise<void> => {
    for await (const entry of unpacked) {
      const { name, type, mode, linkname } = entry.header;
      const path = join(target, nameInContext(name));
      if (type === 'directory') {
        await mkdir(path, { recursive: true });
      } else {
        // A folder that .dockerignore leaves out may still hold a file that it lets in again.
        await mkdir(dirname(path), { recursive: true });
        if (type === 'symlink') await symlink(linkname ?? '', path);
        else await pipeline(entry, createWriteStream(path, { mode: mode ?? 0o644, flush: true }));
      }
      entry.resume();
    }
  };
  await Promise.all([read, write()]);
}
