/** What the host writes down, in `status/` and `data/`: statuses, events, revisions, logs, locks, what was deleted. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import { isSameData } from '../../schemas/is-same-data.ts';
import { NAME_PATTERN } from '../../schemas/program.ts';
import { createSerialByName, type SerialByName } from '../../schemas/serial.ts';
import { emptyStatus, type ProgramStatus } from '../../schemas/status.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { createListeners } from '../files/listeners.ts';
import { mapLimit } from '../files/map-limit.ts';
import { pauseEvery } from '../files/pause.ts';
import { readPlainFile } from '../files/read-plain-file.ts';
import { statKeyNow } from '../files/settle.ts';
import { createSharing, type Share } from '../files/sharing.ts';
import type { Recalled } from '../index/read-index.ts';
import { shared } from './shared-status.ts';
import { decodeStatus, encodeStatus } from './status-text.ts';

const SUFFIX = '.yaml';
const READS_AT_ONCE = 32;
/** Nothing else waits longer than this for files that are looked at. */
const STATS_MS_MAX = 10;

/**
 * The ledger: one status a program, in memory and in `status/`. Written before a program's first engine object,
 * removed after its last. The controller alone writes; everybody reads.
 */
export interface StatusStore {
  get(name: string): ProgramStatus | undefined;
  /** Sorted. */
  names(): string[];
  /** Whether there is a file, however old: the program is known to whoever comes next. */
  isKept(name: string): boolean;
  /** Whether there is one that was there before this host, or was written to outlast a power cut. */
  isDurable(name: string): boolean;
  /** Files that could not be read, with why; they are rebuilt from labels. */
  damaged(): ReadonlyMap<string, string>;
  /**
   * Keeps a status and writes it where it differs. In memory it counts at once, so that the host goes on with a
   * full disk; the promise rejects `RegistryUnavailable` when the file could not be written.
   */
  put(status: ProgramStatus, options?: { durable?: boolean }): Promise<void>;
  /** Rejects `RegistryUnavailable` when the file could not be removed. */
  remove(name: string): Promise<void>;
  /**
   * Compares with the files that are there: a damaged one may be gone, or mended. Gives the names whose file was
   * written and is none of these.
   */
  compare(files: ReadonlySet<string>): Promise<string[]>;
  /** Writes these files anew, and makes up for what could not be written or removed before. Rejects `RegistryUnavailable`. */
  rewrite(names: readonly string[]): Promise<void>;
  /** What the file of that name says, where that is what is known. */
  inFile(name: string): ProgramStatus | undefined;
  /** Calls back with a name after every change. */
  subscribe(listener: (name: string) => void): () => void;
}

/** What is known, and what of it the files say. */
interface Ledger {
  folder: string;
  statuses: Map<string, ProgramStatus>;
  damaged: Map<string, string>;
  /** What the file says, so that it is not written again. */
  written: Map<string, ProgramStatus>;
  /** Names whose file is there and can be read, whatever it says. */
  kept: Set<string>;
  /** Those of them that a power cut may take, since they were never written to outlast one. */
  passing: Set<string>;
  /** Writes of one file go one after the other. */
  serial: SerialByName;
  share: Share;
}

export interface StatusStoreOptions {
  /** Told what a listener threw. */
  onListenerError?: (error: unknown) => void;
  /** What files came to at a host before, by name. */
  recalled?: ReadonlyMap<string, Recalled>;
  share?: Share;
}

/**
 * Reads `status/`. Rejects `RegistryUnavailable` for a file of a newer version, which must not be overwritten.
 */
export async function openStatusStore(
  folder: string,
  options: StatusStoreOptions = {},
): Promise<StatusStore> {
  const { onListenerError = () => undefined, recalled = new Map(), share = createSharing() } = options;
  const ledger: Ledger = {
    ...{ folder, statuses: new Map(), damaged: new Map(), written: new Map(), kept: new Set() },
    passing: new Set(),
    ...{ serial: createSerialByName(), share },
  };
  const { statuses, damaged, written, kept, passing, serial } = ledger;
  const listeners = createListeners<string>(onListenerError);
  /** Undefined where a name came or went since they were asked for. */
  let sorted: readonly string[] | undefined;
  const files = (await readdir(folder)).filter((file) => file.endsWith(SUFFIX));
  const names = files.map((file) => file.slice(0, -SUFFIX.length)).filter((name) => NAME_PATTERN.test(name));
  const others = await recall(ledger, names, recalled);
  await mapLimit(others, READS_AT_ONCE, (name) => read(ledger, name));

  return {
    get: (name) => statuses.get(name),
    names() {
      // Asked for many times a second, of thousands, and seldom another one.
      sorted ??= [...statuses.keys()].sort();
      return [...sorted];
    },
    isKept: (name) => kept.has(name),
    isDurable: (name) => kept.has(name) && !passing.has(name),
    damaged: () => damaged,
    async put(status, { durable = false } = {}) {
      const { name } = status;
      const known = statuses.get(name);
      if (known === undefined || !isSameData(known, status)) {
        if (known === undefined) sorted = undefined;
        statuses.set(name, shared(status, share));
        damaged.delete(name);
        listeners.tell(name);
      } else if (written.has(name) && serial.isIdle(name) && !(durable && passing.has(name))) {
        return;
      }
      await write(ledger, name, durable);
    },
    async remove(name) {
      sorted = undefined;
      statuses.delete(name);
      damaged.delete(name);
      await unlink(ledger, name).finally(() => listeners.tell(name));
    },
    async compare(files) {
      const isThere = (name: string) => files.has(`${name}${SUFFIX}`);
      for (const name of [...damaged.keys()]) {
        if (!isThere(name)) damaged.delete(name);
        // One of a newer version is left to the next start to say.
        else if (await read(ledger, name).catch(() => false)) {
          sorted = undefined;
          listeners.tell(name);
        }
      }
      return [...written.keys()].filter((name) => !isThere(name));
    },
    async rewrite(names) {
      for (const name of names) written.delete(name);
      // One after the other: where the disk is full, the first says so for all.
      for (const name of [...statuses.keys()]) if (!written.has(name)) await write(ledger, name, false);
      for (const name of [...kept]) if (!statuses.has(name)) await unlink(ledger, name);
    },
    inFile(name) {
      const status = statuses.get(name);
      return status !== undefined && written.get(name) === status ? status : undefined;
    },
    subscribe: listeners.add,
  };
}

const fileOf = ({ folder }: Ledger, name: string) => join(folder, `${name}${SUFFIX}`);

/** Takes in what is known of files that are as they were. Gives the others. */
async function recall(
  ledger: Ledger,
  names: readonly string[],
  recalled: ReadonlyMap<string, Recalled>,
): Promise<string[]> {
  if (recalled.size === 0) return [...names];
  const { statuses, written, kept } = ledger;
  const others: string[] = [];
  const pause = pauseEvery(STATS_MS_MAX);
  for (const name of names) {
    const known = recalled.get(name);
    if (known === undefined || statKeyNow(fileOf(ledger, name)) !== known.key) {
      others.push(name);
      continue;
    }
    const status = known.value as ProgramStatus;
    statuses.set(name, status);
    written.set(name, status);
    kept.add(name);
    await pause();
  }
  return others;
}

/** Takes a file in where nothing is known of the program yet. Gives whether it could be read. */
async function read(ledger: Ledger, name: string): Promise<boolean> {
  const { statuses, damaged, written, kept } = ledger;
  try {
    const text = await readPlainFile(fileOf(ledger, name));
    const status = shared(decodeStatus(text, emptyStatus(name, 0)), ledger.share);
    damaged.delete(name);
    if (statuses.has(name)) return false;
    statuses.set(name, status);
    written.set(name, status);
    kept.add(name);
    return true;
  } catch (error) {
    if (error instanceof AppError) throw error;
    damaged.set(name, messageOf(error));
    return false;
  }
}

function write(ledger: Ledger, name: string, durable: boolean): Promise<void> {
  const { statuses, written, kept, passing, serial } = ledger;
  return serial(name, async () => {
    const latest = statuses.get(name);
    if (latest === undefined) return;
    if (written.get(name) === latest && !(durable && passing.has(name))) return;
    try {
      await writeAtomic(fileOf(ledger, name), encodeStatus(latest), { mode: 0o600, durable });
    } catch (error) {
      written.delete(name);
      throw unavailable(name, error);
    }
    written.set(name, latest);
    if (durable) passing.delete(name);
    else if (!kept.has(name)) passing.add(name);
    kept.add(name);
  });
}

function unlink(ledger: Ledger, name: string): Promise<void> {
  const { written, kept, passing, serial } = ledger;
  return serial(name, async () => {
    written.delete(name);
    // A status that came meanwhile is written by the next in the line.
    await rm(fileOf(ledger, name), { force: true }).catch((error: unknown) => {
      throw unavailable(name, error);
    });
    kept.delete(name);
    passing.delete(name);
  });
}

function unavailable(name: string, error: unknown): AppError {
  const why = codeOf(error) || String(error);
  return new AppError('RegistryUnavailable', `status/${name}.yaml can not be written: ${why}`, {
    cause: error,
    hint: 'Free disk space or mend the permissions of status/.',
  });
}
