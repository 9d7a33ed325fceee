import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import { createSerial } from '../../schemas/serial.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { pauseEvery } from '../files/pause.ts';
import { MANIFEST_SUFFIX } from '../paths.ts';
import { createPacking } from './packing.ts';
import { type Folder, footOf, headOf, type Index, type Line } from './read-index.ts';
import { verifiedKey } from './verified-key.ts';

/** It is written when nothing has changed for so long, or at the latest after so long again and again. */
const CALM_MS = 5_000;
const LATE_MS = 60_000;
/** With fewer changes it is left to the end of the host: one that is killed has so many files to read anew. */
const CHANGES_MIN = 100;
const CHANGES_PART = 1 / 20;
/** Nothing else waits longer than this. */
const WRITE_MS_MAX = 10;
const PIECE_LENGTH = 64 * 1024;

/** What is known of the files of a folder. */
export interface IndexedFolder {
  path: string;
  names(): Iterable<string>;
  /** Another one whenever what is known is another. Undefined of what is not to be kept. */
  tokenOf(name: string): object | undefined;
  /** What stands in the file, if it is what is known. */
  textOf(name: string): string;
  valueOf(name: string): object;
  /** The token of what the index gave. */
  tokenIn(value: unknown): object;
}

export type IndexedFolders = Record<Folder, IndexedFolder>;

/** Writes the index, whenever enough has changed and the host has calmed down, and at its end. */
export interface IndexWriter {
  /** Something changed. */
  touched(): void;
  /** Writes it where anything changed. Never rejects. */
  close(): Promise<void>;
}

export interface IndexWriterOptions {
  path: string;
  version: string;
  /** As it was read: what it said has not to be proved again. */
  index: Index;
  folders: IndexedFolders;
  clock: Clock;
  onError: (error: unknown) => void;
}

export function createIndexWriter(options: IndexWriterOptions): IndexWriter {
  const { path, folders, clock, onError } = options;
  /** The keys of the files that say what is known, by token. */
  let proved = provedBy(options);
  const serial = createSerial();
  let cancel: (() => void) | undefined;
  let firstMs = 0;
  let lastMs = 0;
  let closed = false;

  function changes(): { changed: number; all: number } {
    let [changed, all] = [0, 0];
    for (const { names, tokenOf } of Object.values(folders)) {
      for (const name of names()) {
        const token = tokenOf(name);
        if (token === undefined) continue;
        all++;
        if (!proved.has(token)) changed++;
      }
    }
    return { changed: changed + Math.max(0, proved.size - (all - changed)), all };
  }

  const write = (changesMin: (all: number) => number): Promise<void> =>
    serial(async () => {
      const { changed, all } = changes();
      if (changed < changesMin(all)) return;
      try {
        const next = new Map<object, string>();
        await writeAtomic(path, piecesOf(options, proved, next), { mode: 0o600, durable: false });
        proved = next;
      } catch (error) {
        onError(error);
      }
    });

  function plan(): void {
    cancel = clock.after(CALM_MS, () => {
      const nowMs = clock.monotonic();
      if (nowMs - lastMs < CALM_MS && nowMs - firstMs < LATE_MS) return plan();
      cancel = undefined;
      void write((all) => Math.max(CHANGES_MIN, all * CHANGES_PART));
    });
  }

  return {
    touched() {
      lastMs = clock.monotonic();
      if (cancel !== undefined || closed) return;
      firstMs = lastMs;
      plan();
    },
    async close() {
      closed = true;
      cancel?.();
      await write(() => 1);
    },
  };
}

function provedBy({ index, folders }: IndexWriterOptions): Map<object, string> {
  const keys = new Map<object, string>();
  for (const [folder, files] of Object.entries(index) as [Folder, Index[Folder]][])
    for (const { key, value } of files.values()) keys.set(folders[folder].tokenIn(value), key);
  return keys;
}

/**
 * The text of the index.
 * @param proved what needs no look at the file
 * @param next is given what is in it
 */
async function* piecesOf(
  { version, folders, clock }: IndexWriterOptions,
  proved: ReadonlyMap<object, string>,
  next: Map<object, string>,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const pause = pauseEvery(WRITE_MS_MAX);
  let piece = `${headOf(version)}\n`;
  const add = (line: Line) => {
    piece += `${JSON.stringify(line)}\n`;
  };
  const pack = createPacking((part) => add([part]));
  for (const [folder, files] of Object.entries(folders) as [Folder, IndexedFolder][]) {
    for (const name of [...files.names()]) {
      const token = files.tokenOf(name);
      if (token === undefined) continue;
      const file = join(files.path, `${name}${MANIFEST_SUFFIX}`);
      const key = proved.get(token) ?? verifiedKey(file, files.textOf(name), clock.now());
      const value = key === undefined ? undefined : pack(files.valueOf(name));
      if (key !== undefined && value !== undefined) {
        add([folder, name, key, value]);
        next.set(token, key);
      }
      if (piece.length >= PIECE_LENGTH) {
        hash.update(piece);
        yield piece;
        piece = '';
      }
      await pause();
    }
  }
  hash.update(piece);
  yield `${piece}${footOf(hash.digest('hex'))}\n`;
}
