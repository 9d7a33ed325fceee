import { join } from 'node:path';
import type { Clock } from '../../schemas/clock.ts';
import type { Unwatched } from '../../schemas/host-view.ts';
import { isRecord } from '../../schemas/is-record.ts';
import { timestamp } from '../../schemas/program.ts';
import { writeAtomic } from '../files/atomic-write.ts';
import { readPlainFile } from '../files/read-plain-file.ts';

/** A sign is left this often. */
const SIGN_MS = 15_000;
/** What is shorter is none: a host that is started again, or a sign that came late. */
const GAP_MS_MIN = 2 * SIGN_MS;
const KEPT_MS = 7 * 24 * 60 * 60_000;
const KEPT_MAX = 100;

/**
 * When nobody looked at the programs of a registry, since no host ran, or it could not see: `data/watched.json` has the
 * last sign of a host, so that the next one knows how long there was none. Of the time before the first sign nothing
 * is known.
 */
export interface WatchRecord {
  /** Of the last week, oldest first, the one that goes on included. */
  unwatched(): Unwatched[];
  /** Leaves a last sign. Never rejects. */
  close(): Promise<void>;
}

interface Kept {
  /** RFC 3339; `""` for none yet. */
  seen: string;
  unwatched: Unwatched[];
}

/**
 * Leaves signs from now on, until it is closed. Never rejects.
 * @param data the folder `data/`
 * @param sees whether the host sees its programs at present
 * @param onWriteError told of the first sign that can not be left, until one can again
 */
export async function openWatchRecord(
  data: string,
  clock: Clock,
  sees: () => boolean,
  onWriteError: (error: unknown) => void,
): Promise<WatchRecord> {
  const path = join(data, 'watched.json');
  const kept = keptIn(await readPlainFile(path).catch(() => ''));
  let isFailing = false;
  let cancel = () => {};

  const gap = (): Unwatched[] => {
    const nowMs = clock.now();
    const isGap = nowMs - Date.parse(kept.seen) >= GAP_MS_MIN;
    return isGap ? [{ from: kept.seen, to: timestamp(nowMs) }] : [];
  };
  const all = () => {
    const sinceMs = clock.now() - KEPT_MS;
    return [...kept.unwatched, ...gap()].filter(({ to }) => Date.parse(to) > sinceMs).slice(-KEPT_MAX);
  };
  // One after the other: an older sign never takes the place of a newer one.
  let written = Promise.resolve();
  const sign = (): Promise<void> => {
    if (!sees()) return written;
    kept.unwatched = all();
    kept.seen = timestamp(clock.now());
    written = written.then(write);
    return written;
  };
  const write = async () => {
    try {
      await writeAtomic(path, `${JSON.stringify(kept)}\n`, { mode: 0o600, durable: false });
      isFailing = false;
    } catch (error) {
      if (!isFailing) onWriteError(error);
      isFailing = true;
    }
  };
  const again = () => {
    cancel = clock.after(SIGN_MS, () => {
      again();
      void sign();
    });
  };
  await sign();
  again();
  return {
    unwatched: all,
    close() {
      cancel();
      return sign();
    },
  };
}

/** What can not be read tells nothing. */
function keptIn(text: string): Kept {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || !isTime(value.seen)) return { seen: '', unwatched: [] };
    const { seen, unwatched } = value;
    return { seen, unwatched: Array.isArray(unwatched) ? unwatched.filter(isUnwatched) : [] };
  } catch {
    return { seen: '', unwatched: [] };
  }
}

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isUnwatched = (value: unknown): value is Unwatched =>
  isRecord(value) && isTime(value.from) && isTime(value.to);
