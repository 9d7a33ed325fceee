import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, codeOf, messageOf } from '../schemas/errors.ts';
import { moveFile, writeAtomic } from './atomic-write.ts';
import type { Reversible } from './kept-sources.ts';
import { MANIFEST_SUFFIX } from './scan.ts';
import { statKey } from './settle.ts';

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
  /** The stat key of the file as it stands. */
  key(name: string): Promise<string>;
  /** Rejects `Conflict` where the file is there. */
  create(name: string, text: string): Promise<FileEdit>;
  /** Replaces the text by what `change` makes of it. Rejects `NotFound`, and what `change` throws. */
  rewrite(name: string, change: (text: string) => string): Promise<FileEdit>;
  /** Moves the file to the trash, if it is there. */
  discard(name: string): Promise<FileEdit>;
}

/** `programs/x.yaml`, as people are told. */
export function labelOf(name: string): string {
  return `programs/${name}${MANIFEST_SUFFIX}`;
}

export function notFound(name: string): AppError {
  return new AppError('NotFound', `program ${name} not found`);
}

/**
 * @param programs the folder
 * @param trash where discarded files go
 * @param now epoch milliseconds
 */
export function createManifestFiles(programs: string, trash: string, now: () => number): ManifestFiles {
  const fileOf = (name: string) => join(programs, `${name}${MANIFEST_SUFFIX}`);
  const nothingMore = async () => undefined;
  const key = async (name: string) => statKey(await stat(fileOf(name), { bigint: true }));

  /** The file as it is now, or undefined. */
  async function read(name: string): Promise<{ text: string; key: string } | undefined> {
    try {
      return { key: await key(name), text: await readFile(fileOf(name), 'utf8') };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw unwritable(name, error);
    }
  }

  return {
    key,
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
      return { text, undo, done: nothingMore };
    },
    async rewrite(name, change) {
      for (let attempt = 0; attempt < EDIT_TRIES_MAX; attempt++) {
        const before = await read(name);
        if (before === undefined) throw notFound(name);
        const text = change(before.text);
        try {
          await writeAtomic(fileOf(name), text, {
            beforeRename: async () => {
              if ((await read(name))?.key !== before.key) throw new ChangedMeanwhile();
            },
          });
        } catch (error) {
          if (error instanceof ChangedMeanwhile) continue;
          throw unwritable(name, error);
        }
        const undo = async () => {
          if ((await read(name))?.text === text) await writeAtomic(fileOf(name), before.text);
        };
        return { text, undo, done: nothingMore };
      }
      throw new AppError('Conflict', `${labelOf(name)} is being changed by somebody else; try again`);
    },
    async discard(name) {
      const target = join(trash, `${name}.${now()}${MANIFEST_SUFFIX}`);
      const move = (from: string, to: string) => moveFile(from, to, (path) => readFile(path));
      try {
        await move(fileOf(name), target);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw unwritable(name, error);
        return { text: undefined, undo: nothingMore, done: nothingMore };
      }
      return { text: undefined, undo: () => move(target, fileOf(name)), done: nothingMore };
    },
  };
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
