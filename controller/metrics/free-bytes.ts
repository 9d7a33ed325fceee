import { statfs } from 'node:fs/promises';
import type { Clock } from '../../schemas/clock.ts';

/** A file system that does not answer by then keeps nobody from the other figures. */
const WAIT_MS_MAX = 500;

/** What gives how much may still be written where a folder lies, in bytes; undefined where that is not to be had in time. */
export function createFreeBytes(
  folder: string,
  clock: Clock,
  stat: (path: string) => Promise<{ bavail: number; bsize: number }> = statfs,
): () => Promise<number | undefined> {
  /** One at a time: each that hangs holds a thread. */
  let asked: Promise<number | undefined> | undefined;
  return async () => {
    asked ??= stat(folder)
      .then(
        ({ bavail, bsize }) => bavail * bsize,
        () => undefined,
      )
      .finally(() => {
        asked = undefined;
      });
    let cancel = () => {};
    const late = new Promise<undefined>((resolve) => {
      cancel = clock.after(WAIT_MS_MAX, () => resolve(undefined));
    });
    return Promise.race([asked, late]).finally(() => cancel());
  };
}
