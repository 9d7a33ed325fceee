import { type BigIntStats, closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { statKey } from '../files/settle.ts';

/** No file system has coarser times than that: FAT. */
export const GRAIN_MS = 2_000;
const NANOS_IN_MS = 1_000_000n;

/**
 * The key of a file, if it says that text and whatever is written to it from now on gives it another: then one that has
 * this key later says the same. A file that was written just now may be written to once more without a trace, where
 * both fall into one grain of the file system's clock.
 * @param nowMs epoch milliseconds
 */
export function verifiedKey(path: string, text: string, nowMs: number): string | undefined {
  let file: number | undefined;
  try {
    // On a pipe one would wait for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const before = fstatSync(file, { bigint: true });
    const isIt =
      before.isFile() && !isYoung(before, nowMs) && before.size === BigInt(Buffer.byteLength(text));
    if (!isIt || readFileSync(file, 'utf8') !== text) return undefined;
    const key = statKey(before);
    return statKey(fstatSync(file, { bigint: true })) === key ? key : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** One from the future is: the clock was turned back, and comes to that time once more. */
function isYoung({ mtimeNs, ctimeNs }: BigIntStats, nowMs: number): boolean {
  const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return newest / NANOS_IN_MS > BigInt(Math.floor(nowMs)) - BigInt(GRAIN_MS);
}
