import type { Stats } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isAbsent } from '../../schemas/errors.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';
import { ownerOf } from '../../schemas/trashed-volume.ts';
import { TEMP_PREFIX, writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { type RegistryPaths, sourcesFolderOf } from '../paths.ts';
import { trashedVolumeIn } from './trashed-volumes.ts';

/** What lies in `data/` and `sources/` and may one day be of no use. Needed or not is for others to say. */
export type Leftover = {
  /** Relative to the root. */
  key: string;
  /** Null where it is not measured: a look must not walk through whole trees of sources, or thousands of files. */
  bytes: number | null;
} & (
  | { kind: 'context'; hash: string }
  | { kind: 'buildLog'; buildId: string }
  | { kind: 'sources'; folder: string }
  | { kind: 'history'; name: string }
  /** `sinceMs` is undefined where the name does not say since when it lies there. */
  | { kind: 'trash'; name: string; sinceMs: number | undefined }
  /** `isTaken`: by the program of that name, from another. */
  | { kind: 'volume'; name: string; userId: string; volume: string; isTaken: boolean; sinceMs: number }
);

export interface Leftovers {
  /** Rejects where a folder can not be read: half a list is none. */
  list(): Promise<Leftover[]>;
  /** The texts of all kept revisions, by name. Rejects where one can not be read. */
  revisionTexts(): Promise<Map<string, string[]>>;
  /** Removes a file or folder of `data/`, given relative to the root. */
  remove(key: string): Promise<void>;
  /** Since when each was found to be of no use, epoch milliseconds by key; empty where that is not known any more. */
  readUnused(): Promise<Map<string, number>>;
  writeUnused(since: ReadonlyMap<string, number>): Promise<void>;
}

/** `<name>.<epoch ms>.<what>` */
const STAMPED = /^(.+)\.(\d{1,15})\.(yaml|sources|volume\.json)$/;

export function openLeftovers(paths: RegistryPaths): Leftovers {
  const unused = join(paths.data, 'unused.json');
  return {
    async list() {
      const found: Leftover[] = [];
      for (const listed of [contexts, buildLogs, sources, histories, trash])
        found.push(...(await listed(paths)));
      return found;
    },
    async revisionTexts() {
      const texts = new Map<string, string[]>();
      for (const name of await names(paths.revisions)) {
        const folder = join(paths.revisions, name);
        const files = (await names(folder)).filter((file) => file.endsWith('.yaml'));
        texts.set(name, await Promise.all(files.map((file) => readText(join(folder, file)))));
      }
      return texts;
    },
    async remove(key) {
      if (!key.startsWith('data/') || key.includes('..')) throw new Error(`${key} is not in data/`);
      await rm(join(paths.root, key), { recursive: true, force: true });
    },
    async readUnused() {
      try {
        const entries = Object.entries(JSON.parse(await readPlainFile(unused)) as object);
        return new Map(entries.filter((entry): entry is [string, number] => Number.isFinite(entry[1])));
      } catch {
        // Not there, or damaged: every grace begins anew, which costs time and nothing else.
        return new Map();
      }
    },
    async writeUnused(since) {
      const text = `${JSON.stringify(Object.fromEntries([...since].sort()), null, 1)}\n`;
      await writeAtomic(unused, text, { mode: 0o600, durable: false });
    },
  };
}

function contexts({ root, contexts }: RegistryPaths): Promise<Leftover[]> {
  return each(root, contexts, (file, { size: bytes }, key) => {
    const hash = /^([0-9a-f]{64})\.tar$/.exec(file)?.[1];
    return hash === undefined ? undefined : { kind: 'context', hash, key, bytes };
  });
}

function buildLogs({ root, builds }: RegistryPaths): Promise<Leftover[]> {
  return each(root, builds, (file, { size: bytes }, key) => {
    const buildId = /^(build-[0-9a-f]{12})\.(?:log|ndjson)$/.exec(file)?.[1];
    return buildId === undefined ? undefined : { kind: 'buildLog', buildId, key, bytes };
  });
}

/** Of folders in `sources/` those that the API made. */
function sources({ root, sources }: RegistryPaths): Promise<Leftover[]> {
  return each(root, sources, (_file, stats, key) =>
    sourcesFolderOf(key) === key && stats.isDirectory()
      ? { kind: 'sources', folder: key, key, bytes: null }
      : undefined,
  );
}

async function histories({ events, revisions, buildHistory, usage }: RegistryPaths): Promise<Leftover[]> {
  const told = (await names(events)).flatMap((file) => /^(.+)\.ndjson$/.exec(file)?.[1] ?? []);
  const measured = (await names(usage)).flatMap((file) => /^(.+)\.ring$/.exec(file)?.[1] ?? []);
  return [...new Set([...told, ...measured, ...(await names(revisions)), ...(await names(buildHistory))])]
    .filter((name) => NAME_PATTERN.test(name))
    .map((name) => ({ kind: 'history', name, key: `history of ${name}`, bytes: null }));
}

async function trash({ root, trash }: RegistryPaths): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const file of await names(trash)) {
    const path = join(trash, file);
    const place = { key: relative(root, path), bytes: await sizeOf(path) };
    const [, name = '', stamp, what = ''] = STAMPED.exec(file) ?? [];
    const sinceMs = stamp === undefined ? undefined : Number(stamp);
    const volume = what === 'volume.json' ? await volumeIn(path) : undefined;
    if (volume !== undefined && sinceMs !== undefined)
      found.push({ kind: 'volume', ...volume, ...place, sinceMs });
    else found.push({ kind: 'trash', name: what === 'yaml' ? name : '', sinceMs, ...place });
  }
  return found;
}

/** Names in a folder, but for temporary ones; none where it is not there. */
async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => !file.startsWith(TEMP_PREFIX)).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** What `look` makes of each file of the folder; its key is the path relative to the root. */
async function each(
  root: string,
  folder: string,
  look: (file: string, stats: Stats, key: string) => Leftover | undefined,
): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const file of await names(folder)) {
    const path = join(folder, file);
    const stats = await lstat(path).catch(unlessGone);
    const leftover = stats && look(file, stats, relative(root, path));
    if (leftover !== undefined) found.push(leftover);
  }
  return found;
}

async function sizeOf(path: string): Promise<number> {
  const stats = await lstat(path).catch(unlessGone);
  if (!stats?.isDirectory()) return stats?.size ?? 0;
  let bytes = 0;
  for (const name of await readdir(path)) bytes += await sizeOf(join(path, name));
  return bytes;
}

async function volumeIn(path: string) {
  const record = trashedVolumeIn(await readPlainFile(path).catch(() => ''));
  if (record === undefined) return undefined;
  const { userId, volume, takenBy } = record;
  return { name: ownerOf(record), userId, volume, isTaken: takenBy !== undefined };
}

/** A revision that was cut off meanwhile is none. */
async function readText(path: string): Promise<string> {
  return (await readPlainFile(path).catch(unlessGone)) ?? '';
}
