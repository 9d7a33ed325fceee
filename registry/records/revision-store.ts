import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { codeOf } from '../../schemas/errors.ts';
import { API_VERSION } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { dataUnavailable } from './data-unavailable.ts';

/** How many revisions of a program are kept, besides the last that was ready. */
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
    const files = await readdir(join(folder, name)).catch((error) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw dataUnavailable(`revisions/${name}`, 'read', error);
    });
    return files
      .flatMap((file) => (/^[1-9]\d*\.yaml$/.test(file) ? [Number.parseInt(file, 10)] : []))
      .sort((a, b) => a - b);
  }

  async function get(name: string, number: number): Promise<Revision | undefined> {
    try {
      const document = parse(await readPlainFile(fileOf(name, number)), { logLevel: 'error' }) as {
        revision?: Revision;
      } | null;
      const revision = document?.revision;
      return revision?.number === number && typeof revision.rawSpec === 'object' ? revision : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps the newest, and below them the last that was ready: after many failures it is what to go back to. */
  async function removeOld(name: string): Promise<void> {
    const all = await numbers(name);
    const old = all.slice(0, -REVISIONS_KEPT);
    if (old.length === 0) return;
    const isReady = async (number: number) => (await get(name, number))?.outcome === 'Ready';
    let hasReady = false;
    for (const number of all.slice(-REVISIONS_KEPT)) hasReady ||= await isReady(number);
    for (const number of old.reverse()) {
      if (!hasReady && (await isReady(number))) hasReady = true;
      else await rm(fileOf(name, number), { force: true }).catch(() => undefined);
    }
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
