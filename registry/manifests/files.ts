import { readFileSync, statSync } from 'node:fs';
import { realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { isThere } from '../files/is-there.ts';
import { LedElsewhere, openAtHome } from '../files/open-at-home.ts';
import { type Reversible, reversible } from '../files/reversible.ts';
import { statKey } from '../files/settle.ts';
import type { CommittedLinks } from '../git/committed-links.ts';
import { labelOf, MANIFEST_SUFFIX } from '../paths.ts';
import type { Trash } from '../records/trash.ts';
import { MANIFEST_BYTES_MAX } from './manifest.ts';
import { troubleOf } from './programs-folder.ts';

/** How often an edit starts over because somebody else wrote the file at the same moment. */
const EDIT_TRIES_MAX = 5;

/** An edit of one manifest that was written and can be taken back. */
export interface FileEdit extends Reversible {
  /** What the file holds now; undefined where there is none any more. */
  text: string | undefined;
}

/**
 * The files of `programs/` as the API writes them: whole, and never over what the writer has not seen; an edit is
 * taken back only while the file still holds it. All reject `RegistryUnavailable` where the disk refuses.
 */
export interface ManifestFiles {
  /** Rejects `Conflict` where the file is there. */
  create(name: string, text: string): Promise<FileEdit>;
  /** Replaces the text, behind a link where there is one, by what `change` makes of it. Rejects `NotFound`, and what `change` throws. */
  rewrite(name: string, change: (text: string) => string): Promise<FileEdit>;
  /** Moves the file to the trash, or notes the wish there if it is missing already. */
  discard(name: string): Promise<FileEdit>;
  /** Whether anything lies under that name. */
  isThere(name: string): Promise<boolean>;
}

export function notFound(name: string): AppError {
  return new AppError('NotFound', `program ${name} not found`);
}

/**
 * @param programs the folder
 * @param trash where discarded files go
 * @param links those that are not followed
 */
export function createManifestFiles(programs: string, trash: Trash, links: CommittedLinks): ManifestFiles {
  const fileOf = (name: string) => join(programs, `${name}${MANIFEST_SUFFIX}`);

  async function mustBeReadable(): Promise<void> {
    const trouble = await troubleOf(programs);
    if (trouble === '') return;
    throw new AppError('RegistryUnavailable', trouble, {
      hint: 'Mount the disk, or bring the folder back. Everything keeps running meanwhile.',
    });
  }

  /** The file as it is now, behind any link, or undefined. */
  async function read(name: string, triesLeft = EDIT_TRIES_MAX): Promise<FoundFile | undefined> {
    try {
      await links.mustLeadHome(labelOf(name));
      return await readBehind(fileOf(name));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      // An editor moves the old file aside before it writes another.
      if (error instanceof LedElsewhere && triesLeft > 1) return read(name, triesLeft - 1);
      throw unwritable(name, error);
    }
  }

  return {
    async create(name, text) {
      try {
        await writeAtomic(fileOf(name), text, { exclusive: true });
      } catch (error) {
        if (codeOf(error) === 'EEXIST') throw new AppError('Conflict', `${labelOf(name)} exists already`);
        throw unwritable(name, error);
      }
      const undo = async () => {
        if ((await read(name))?.text === text) await rm(fileOf(name), { force: true });
      };
      return { ...reversible(undo), text };
    },
    async rewrite(name, change) {
      for (let attempt = 0; attempt < EDIT_TRIES_MAX; attempt++) {
        const before = await read(name);
        if (before === undefined) {
          await mustBeReadable();
          throw notFound(name);
        }
        const text = change(before.text);
        try {
          await writeAtomic(before.path, text, { beforeRename: () => mustBeSame(before) });
        } catch (error) {
          if (error instanceof ChangedMeanwhile) continue;
          throw unwritable(name, error);
        }
        const undo = async () => {
          const now = await read(name);
          if (now?.text !== text) return;
          await writeAtomic(now.path, before.text, { beforeRename: () => mustBeSame(now) });
        };
        return { ...reversible(undo), text };
      }
      throw new AppError('Conflict', `${labelOf(name)} is being changed by somebody else; try again`);
    },
    isThere: (name) => isThere(fileOf(name)),
    async discard(name) {
      // What is on a disk that is away would be back with it.
      await mustBeReadable();
      try {
        return { ...(await trash.discard(name, fileOf(name))), text: undefined };
      } catch (error) {
        throw unwritable(name, error);
      }
    },
  };
}

/** A manifest as it was read, at the place that its links led to. */
interface FoundFile {
  path: string;
  text: string;
  key: string;
}

/** The one that was led to, and no other: a link in its place by now is not followed. */
async function readBehind(link: string): Promise<FoundFile> {
  const path = await realpath(link);
  const file = await openAtHome(path, (real) => real !== path);
  try {
    const stats = await file.stat({ bigint: true });
    if (stats.size > MANIFEST_BYTES_MAX) throw new Error(`it is larger than ${MANIFEST_BYTES_MAX} bytes`);
    return { path, key: statKey(stats), text: await file.readFile('utf8') };
  } finally {
    await file.close();
  }
}

/**
 * The last thing before the rename. Files know no compare-and-swap: a writer that comes in the microseconds between
 * the two is still overwritten.
 */
function mustBeSame(before: FoundFile): void {
  try {
    // Within a tick of the clock a file of equal length can change and keep its key.
    const isSame = readFileSync(before.path, 'utf8') === before.text;
    if (isSame && statKey(statSync(before.path, { bigint: true })) === before.key) return;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  throw new ChangedMeanwhile();
}

class ChangedMeanwhile extends Error {}

function unwritable(name: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError(
    'RegistryUnavailable',
    `${labelOf(name)} can not be read or written: ${messageOf(error)}`,
    {
      cause: error,
      hint: 'Check the folder programs/: is it there, writable, and the disk not full?',
    },
  );
}
