import { constants } from 'node:fs';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '../../schemas/errors.ts';
import { createSerialByName } from '../../schemas/serial.ts';
import type { UsageSample, UsageSeries } from '../../schemas/usage.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { mapLimit } from '../files/map-limit.ts';
import { openPlainFile } from '../files/read-plain-file.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { dataUnavailable } from './data-unavailable.ts';
import {
  coarsePieces,
  emptyFine,
  FINE_OFFSET,
  FINE_PER_COARSE,
  fineIn,
  hourOf,
  isWhole,
  newestStep,
  newFile,
  putSample,
  RING_FILE_BYTES,
  type Ring,
  sampleOf,
  stepOf,
  weekOf,
} from './usage-ring.ts';

export const USAGE_SUFFIX = '.ring';
const FILES_AT_ONCE = 8;
const HOUR_MS = 60 * 60_000;
/** What lies in the hour was written within it, but for a clock that was put right. */
const WRITTEN_MS = HOUR_MS;
/** What lies there in the file's place, a link or a pipe, is neither followed nor waited for. */
const IN_PLACE = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * `data/usage/<name>.ring`: what each program used, for a week, in a file whose size never changes. The last hour is
 * in memory, and written every 5 minutes and at the end: a host that is killed loses what came since.
 */
export interface UsageStore {
  /** Takes the last hour of these out of their files, where that is not done. A damaged file counts as none, with a warning. Never rejects. */
  load(names: readonly string[]): Promise<void>;
  /** Keeps a sample. Nothing is kept of a program that was not loaded. */
  put(name: string, atMs: number, sample: UsageSample): void;
  /** The hour up to a time, of one that was loaded; in steps of 15 s, or a multiple of that which divides 240. */
  hour(name: string, atMs: number, stepsInOne?: number): UsageSeries;
  /** The week up to a time, in steps of 5 minutes. Rejects `RegistryUnavailable` where the file can not be read. */
  week(name: string, atMs: number): Promise<UsageSeries>;
  /** Writes those whose turn it is at a time: each every 5 minutes, a few at each step. Never rejects. */
  writeDue(atMs: number): Promise<void>;
  /** Writes all that was not written. Never rejects. */
  writeAll(atMs: number): Promise<void>;
  /** Those that are loaded. */
  names(): string[];
  /** Whether there is a sample in the hour up to a time, of one that is loaded. */
  hasHour(name: string, atMs: number): boolean;
  /** Those whose file may hold samples of the hour up to a time. Never rejects. */
  recent(atMs: number): Promise<string[]>;
  /** Writes what is left of a program's, and forgets it until it is loaded again. Never rejects. */
  release(name: string, atMs: number): Promise<void>;
  /** Removes what is kept of a program. Rejects where the file can not be removed. */
  remove(name: string): Promise<void>;
}

interface Loaded {
  fine: Ring;
  isDirty: boolean;
  /** The fine step up to which the file has it; 0 where there is no file, or it is to begin anew. */
  written: number;
}

/**
 * @param onWarning told of a file that begins anew
 * @param onWriteError told of the first file that can not be written, until one can again
 */
export function openUsageStore(
  folder: string,
  onWarning: (fields: object, message: string) => void,
  onWriteError: (error: unknown) => void,
): UsageStore {
  const loaded = new Map<string, Loaded>();
  const serial = createSerialByName();
  const nothing = emptyFine();
  const { fileOf, load, week, write } = createFiles(folder, loaded, onWarning, onWriteError);
  const writeThese = (names: readonly string[], atMs: number) =>
    mapLimit(names, FILES_AT_ONCE, (name) => serial(name, () => write(name, atMs))).then(() => undefined);

  return {
    load: (names) =>
      mapLimit(
        names.filter((name) => !loaded.has(name)),
        FILES_AT_ONCE,
        (name) => serial(name, () => load(name)),
      ).then(() => undefined),
    put(name, atMs, sample) {
      const own = loaded.get(name);
      if (own === undefined) return;
      const step = stepOf(atMs);
      // A host that came within one step knows no rate yet, and the one before may have.
      const known = sampleOf(own.fine, step);
      const cpu = sample.cpu ?? known?.cpu ?? null;
      putSample(own.fine, step, { cpu, memoryBytes: sample.memoryBytes ?? known?.memoryBytes ?? null });
      own.isDirty = true;
    },
    hour: (name, atMs, stepsInOne) => hourOf(loaded.get(name)?.fine ?? nothing, stepOf(atMs), stepsInOne),
    week: (name, atMs) => serial(name, () => week(name, atMs)),
    writeDue: (atMs) =>
      writeThese(
        [...loaded.keys()].filter((name) => isDue(name, stepOf(atMs))),
        atMs,
      ),
    writeAll: (atMs) => writeThese([...loaded.keys()], atMs),
    names: () => [...loaded.keys()],
    hasHour: (name, atMs) => newestStep(loaded.get(name)?.fine ?? nothing) > stepOf(atMs - HOUR_MS),
    recent: (atMs) => writtenSince(folder, atMs - HOUR_MS - WRITTEN_MS),
    release: (name, atMs) =>
      serial(name, async () => {
        await write(name, atMs);
        loaded.delete(name);
      }),
    remove: (name) =>
      serial(name, async () => {
        loaded.delete(name);
        await rm(fileOf(name), { force: true });
      }),
  };
}

/** Work on the file of one program, for which the file has to be nobody else's meanwhile. */
interface Files {
  fileOf(name: string): string;
  load(name: string): Promise<void>;
  week(name: string, atMs: number): Promise<UsageSeries>;
  /** Writes what is new of one. Never rejects. */
  write(name: string, atMs: number): Promise<void>;
}

function createFiles(
  folder: string,
  loaded: Map<string, Loaded>,
  onWarning: (fields: object, message: string) => void,
  onWriteError: (error: unknown) => void,
): Files {
  let isFailing = false;
  const fileOf = (name: string) => join(folder, `${name}${USAGE_SUFFIX}`);
  const warnOf = (program: string) =>
    onWarning({ program }, `${labelOf(program)} is damaged or half written: its figures begin anew`);

  return {
    fileOf,
    async load(name) {
      if (loaded.has(name)) return;
      const file = await readRing(fileOf(name)).catch((error: unknown) => {
        onWarning({ program: name, error: messageOf(error) }, 'the figures of a program can not be read');
        return 'unreadable' as const;
      });
      const isDamaged = file === 'damaged';
      if (isDamaged) warnOf(name);
      const fine = typeof file === 'object' ? fineIn(file) : emptyFine();
      // What can not be read at present may be whole: it is gone on with, and not begun anew.
      const written = file === 'unreadable' ? 1 : newestStep(fine);
      loaded.set(name, { fine, isDirty: isDamaged, written });
    },
    async week(name, atMs) {
      const own = loaded.get(name);
      const file = await readRing(fileOf(name)).catch((error: unknown) => {
        throw dataUnavailable(`usage/${name}${USAGE_SUFFIX}`, 'read', error);
      });
      const isDamaged = file === 'damaged';
      if (isDamaged) {
        warnOf(name);
        if (own !== undefined) Object.assign(own, { written: 0, isDirty: true });
      }
      return weekOf(isDamaged ? undefined : file, own?.fine ?? emptyFine(), stepOf(atMs));
    },
    async write(name, atMs) {
      const own = loaded.get(name);
      if (own === undefined || !own.isDirty) return;
      own.isDirty = false;
      try {
        const done = own.written > 0 ? await writeInto(fileOf(name), own, stepOf(atMs)) : 'none';
        if (done === 'damaged') warnOf(name);
        if (done !== 'written') {
          const bytes = newFile(own.fine, stepOf(atMs));
          await writeAtomic(fileOf(name), bytes, { mode: 0o600, durable: false });
        }
        own.written = stepOf(atMs);
        isFailing = false;
      } catch (error) {
        own.isDirty = true;
        if (!isFailing) onWriteError(error);
        isFailing = true;
      }
    },
  };
}

/** Names whose files were written to since then; epoch milliseconds. */
async function writtenSince(folder: string, ms: number): Promise<string[]> {
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith(USAGE_SUFFIX));
  const found = await mapLimit(files, FILES_AT_ONCE, async (file) => {
    const stats = await stat(join(folder, file)).catch(() => undefined);
    return stats !== undefined && stats.mtimeMs >= ms ? file.slice(0, -USAGE_SUFFIX.length) : undefined;
  });
  return found.filter((name) => name !== undefined);
}

const labelOf = (name: string) => `data/usage/${name}${USAGE_SUFFIX}`;

/** Spread by name, so that not all are written at once. */
function isDue(name: string, step: number): boolean {
  let sum = 0;
  for (let index = 0; index < name.length; index++) sum = (sum * 31 + name.charCodeAt(index)) % 65_521;
  return (step + sum) % FINE_PER_COARSE === 0;
}

async function readRing(path: string): Promise<Buffer | 'damaged' | undefined> {
  const file = await openPlainFile(path).catch(unlessGone);
  if (file === undefined) return undefined;
  try {
    // One of another size is not read: it may be of any.
    if ((await file.stat()).size !== RING_FILE_BYTES) return 'damaged';
    const bytes = Buffer.alloc(RING_FILE_BYTES);
    const { bytesRead } = await file.read(bytes, 0, RING_FILE_BYTES, 0);
    return bytesRead === RING_FILE_BYTES && isWhole(bytes) ? bytes : 'damaged';
  } finally {
    await file.close();
  }
}

/** Writes the hour over that of the file, and of the week what is new. Leaves one that is of another size. */
async function writeInto(
  path: string,
  { fine, written }: Loaded,
  last: number,
): Promise<'written' | 'none' | 'damaged'> {
  const file = await openInPlace(path);
  if (file === undefined) return 'none';
  try {
    if ((await file.stat()).size !== RING_FILE_BYTES) return 'damaged';
    // As they are now: samples that come meanwhile must not be written by half.
    const pieces = [{ bytes: Buffer.from(fine), offset: FINE_OFFSET }, ...coarsePieces(fine, written, last)];
    for (const { bytes, offset } of pieces) await file.write(bytes, 0, bytes.length, offset);
    return 'written';
  } finally {
    await file.close();
  }
}

/** Undefined where there is none, or something that is no file. */
async function openInPlace(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, IN_PLACE);
  } catch (error) {
    // Whatever lies there is replaced, where it can be.
    if (['ENOENT', 'ELOOP', 'EISDIR', 'ENXIO'].includes(codeOf(error))) return undefined;
    throw error;
  }
}
