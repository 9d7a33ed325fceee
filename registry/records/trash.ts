import { link, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf } from '../../schemas/errors.ts';
import { moveFile, syncFolder, writeAtomic } from '../files/atomic-write.ts';
import { isThere } from '../files/is-there.ts';
import { type Reversible, reversible } from '../files/reversible.ts';
import { MANIFEST_SUFFIX } from '../paths.ts';

/** Manifests that were deleted by a stated wish, so that the wish is known after a restart and can be taken back. */
export interface Trash {
  /** Whether the manifest of that name lies here and was not written again since. */
  has(name: string): boolean;
  /** Moves a manifest here; where there is none, notes that it is to be gone. */
  discard(name: string, path: string): Promise<Reversible>;
  /** There is a manifest of that name again: what lies here is no wish any more. */
  supersede(name: string): Promise<void>;
  /** Moves a source folder here, given as an absolute path. */
  discardSources(path: string): Promise<void>;
}

/** @param now epoch milliseconds */
export async function openTrash(folder: string, now: () => number): Promise<Trash> {
  /** Files by the name of their program. */
  const files = new Map<string, Set<string>>();
  const add = (name: string, file: string) => files.set(name, (files.get(name) ?? new Set()).add(file));
  const forget = (name: string, file: string) => {
    const kept = files.get(name);
    kept?.delete(file);
    if (kept?.size === 0) files.delete(name);
  };
  for (const file of await readdir(folder)) {
    const name = /^(.+)\.\d+\.yaml$/.exec(file)?.[1];
    if (name !== undefined) add(name, file);
  }

  /** A file name that is not taken, added already. */
  function take(name: string): string {
    let ms = now();
    while (files.get(name)?.has(`${name}.${ms}${MANIFEST_SUFFIX}`)) ms++;
    const file = `${name}.${ms}${MANIFEST_SUFFIX}`;
    add(name, file);
    return file;
  }

  return {
    has: (name) => files.has(name),
    async discard(name, path) {
      const isHere = await isThere(path);
      const file = take(name);
      const target = join(folder, file);
      if (!isHere) {
        await writeAtomic(target, '# The manifest was missing when its program was deleted.\n');
        return reversible(async () => {
          forget(name, file);
          await rm(target, { force: true });
        });
      }
      try {
        await moveFile(path, target, (from) => readFile(from));
        await syncFolder(folder);
      } catch (error) {
        forget(name, file);
        throw error;
      }
      return reversible(async () => {
        forget(name, file);
        await putBack(target, path);
      });
    },
    async supersede(name) {
      for (const file of files.get(name) ?? []) {
        forget(name, file);
        const stem = file.slice(0, -MANIFEST_SUFFIX.length);
        await rename(join(folder, file), join(folder, `${stem}.superseded${MANIFEST_SUFFIX}`)).catch(
          () => undefined,
        );
      }
    },
    discardSources: (path) => rename(path, join(folder, `${basename(path)}.${now()}.sources`)),
  };
}

/** Never over what somebody has put there meanwhile. What is no file can not be linked. */
async function putBack(from: string, to: string): Promise<void> {
  await link(from, to).catch((error: unknown) => (codeOf(error) === 'EEXIST' ? undefined : rename(from, to)));
  await rm(from, { recursive: true, force: true });
}
