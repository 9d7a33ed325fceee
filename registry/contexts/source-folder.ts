import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../schemas/errors.ts';
import { syncFolder, temporaryName } from '../files/atomic-write.ts';
import { isThere } from '../files/is-there.ts';

/** Where a source tree lies, relative to the registry, and whether it was not there before. */
export interface PlacedSources {
  context: string;
  isNew: boolean;
}

/** Told of a source tree before it is put in place: what a host that is killed then has to know at its next start. */
export type OnPlace = (sources: PlacedSources) => Promise<void>;

/**
 * Puts a source tree under `sources/<buildId>`, all or nothing. A folder that holds the same already is shared;
 * one that somebody changed is left alone and another is made.
 * @param holdsSame whether a folder, relative to the registry, holds what is to be put there
 * @param fill writes the tree into an empty folder, given as an absolute path
 */
export async function placeSources(
  root: string,
  buildId: string,
  holdsSame: (folder: string) => Promise<boolean>,
  fill: (path: string) => Promise<void>,
  onPlace: OnPlace = async () => undefined,
): Promise<PlacedSources> {
  const sources = join(root, 'sources');
  const temp = join(sources, temporaryName());
  let filled = false;
  let suffix = '';
  try {
    for (;;) {
      const context = `sources/${buildId}${suffix}`;
      if (await holdsSame(context)) {
        await onPlace({ context, isNew: false });
        return { context, isNew: false };
      }
      if (!(await isThere(join(root, context)))) {
        if (!filled) {
          await mkdir(temp, { recursive: true });
          await fill(temp);
          filled = true;
        }
        await onPlace({ context, isNew: true });
        if (await moveInto(temp, join(root, context))) {
          await syncFolder(sources);
          return { context, isNew: true };
        }
        // Somebody made it at the same moment, perhaps with the same in it.
        continue;
      }
      suffix = `-${randomBytes(4).toString('hex')}`;
    }
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

async function moveInto(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error))) return false;
    throw error;
  }
}
