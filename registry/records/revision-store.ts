import { statSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { codeOf } from '../../schemas/errors.ts';
import { API_VERSION } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { dataUnavailable } from './data-unavailable.ts';

/** How many revisions of a program are kept in all. */
const REVISIONS_KEPT = 10;

/** `data/revisions/<name>/<n>.yaml`. All but `get` reject `RegistryUnavailable` where the disk refuses. */
export interface RevisionStore {
  put(name: string, revision: Revision): Promise<void>;
  get(name: string, number: number): Promise<Revision | undefined>;
  /** Oldest first; damaged files are left out. */
  list(name: string): Promise<Revision[]>;
  remove(name: string): Promise<void>;
}

export function openRevisionStore(folder: string): RevisionStore {
  const fileOf = (name: string, number: number) => join(folder, name, `${number}.yaml`);

  async function numbers(name: string): Promise<number[]> {
    if (!mayBeThere(join(folder, name))) return [];
    const files = await readdir(join(folder, name)).catch((error) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw dataUnavailable(`revisions/${name}`, 'read', error);
    });
    return files
      .flatMap((file) => (/^[1-9]\d*\.yaml$/.test(file) ? [Number.parseInt(file, 10)] : []))
      .sort((a, b) => a - b);
  }

  async function get(name: string, number: number): Promise<Revision | undefined> {
    return readPlainFile(fileOf(name, number)).then(
      (text) => revisionIn(text, number),
      () => undefined,
    );
  }

  /** Makes room. What can not be read just now stays, since that may be the one to go back to. */
  async function removeOld(name: string): Promise<void> {
    const all = await numbers(name);
    if (all.length <= REVISIONS_KEPT) return;
    const read = async (number: number): Promise<Kept[]> => {
      const text = await readPlainFile(fileOf(name, number)).catch(() => undefined);
      return text === undefined ? [] : [{ number, revision: revisionIn(text, number) }];
    };
    const kept = (await Promise.all(all.map(read))).flat();
    for (const number of toRemove(kept))
      await rm(fileOf(name, number), { force: true }).catch(() => undefined);
  }

  return {
    get,
    async put(name, revision) {
      const document = { apiVersion: API_VERSION, kind: 'ProgramRevision', metadata: { name }, revision };
      const text = stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
      try {
        // Not the folders above it, which have to be made whole.
        await mkdir(join(folder, name), { mode: 0o700 }).catch((error: unknown) => {
          if (codeOf(error) !== 'EEXIST') throw error;
        });
        await writeAtomic(fileOf(name, revision.number), text, { mode: 0o600, durable: false });
      } catch (error) {
        throw dataUnavailable(`revisions/${name}/${revision.number}.yaml`, 'written', error);
      }
      await removeOld(name);
    },
    async list(name) {
      const found = await Promise.all((await numbers(name)).map((number) => get(name, number)));
      return found.filter((revision) => revision !== undefined);
    },
    async remove(name) {
      await rm(join(folder, name), { recursive: true, force: true }).catch((error: unknown) => {
        throw dataUnavailable(`revisions/${name}`, 'removed', error);
      });
    },
  };
}

/**
 * Of most programs that are looked at for the first time there is nothing, and of those there may be thousands: to ask
 * for it in one step takes far less than a list of the folder that fails.
 */
function mayBeThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

/** Undefined where the text is damaged. */
function revisionIn(text: string, number: number): Revision | undefined {
  try {
    const document = parse(text, { logLevel: 'error' }) as { revision?: Revision } | null;
    const revision = document?.revision;
    return revision?.number === number && typeof revision.rawSpec === 'object' ? revision : undefined;
  } catch {
    return undefined;
  }
}

interface Kept {
  number: number;
  revision: Revision | undefined;
}

/**
 * Which go so that `REVISIONS_KEPT` stay: first what never ran, or says nothing, then the oldest. The newest stays, and
 * so do the ways back, however many came since: the last that was ready, and the last ready one that is another.
 */
function toRemove(all: readonly Kept[]): number[] {
  const ready = all.filter(({ revision }) => revision?.outcome === 'Ready');
  const last = ready.at(-1);
  const other = ready.findLast(({ revision }) => revision?.hash !== last?.revision?.hash);
  const mayGo = all.filter((one) => one !== all.at(-1) && one !== last && one !== other);
  const isWorth = ({ revision }: Kept) => revision !== undefined && revision.outcome !== 'Superseded';
  const worstFirst = [...mayGo.filter((one) => !isWorth(one)), ...mayGo.filter(isWorth)];
  return worstFirst.slice(0, Math.max(0, all.length - REVISIONS_KEPT)).map(({ number }) => number);
}
