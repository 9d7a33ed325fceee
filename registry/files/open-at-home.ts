import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';

/** What was looked at is not what lies there by now, or leads elsewhere. */
export class LedElsewhere extends Error {}

/**
 * Opens a plain file that is to lie within bounds: its links are followed once, no more when it is opened, and where it
 * lies is asked of what was opened, so that nobody can lay a link in the way in between.
 * @param leadsOut whether a real path is out of bounds
 * @param follows whether the last part of the path may be a link
 * Rejects `LedElsewhere`, or as `open` does; for what is no file too, since on a pipe one would wait for ever.
 */
export async function openAtHome(
  path: string | Buffer,
  leadsOut: (real: string) => boolean,
  follows = false,
): Promise<FileHandle> {
  const target = follows ? await followed(path, leadsOut) : path;
  const file = await open(target, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'ELOOP' ? new LedElsewhere('it became a link while it was looked at') : error;
    },
  );
  try {
    const [stats, shown] = await Promise.all([file.stat(), readlink(`/proc/self/fd/${file.fd}`)]);
    // One whose place another has taken since lay there.
    const real = stats.nlink === 0 ? shown.replace(/ \(deleted\)$/, '') : shown;
    if (!stats.isFile()) throw new LedElsewhere('it is not a file');
    if (leadsOut(real)) throw new LedElsewhere('it leads out of the registry by now');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function followed(path: string | Buffer, leadsOut: (real: string) => boolean): Promise<string> {
  const real = await realpath(path);
  if (leadsOut(real)) throw new LedElsewhere('it is a link that leads out of the registry');
  return real;
}

/** Its text as UTF-8. @param bytesMax a longer one is rejected before it is read */
export async function readAtHome(
  path: string,
  leadsOut: (real: string) => boolean,
  bytesMax: number,
): Promise<string> {
  const file = await openAtHome(path, leadsOut, true);
  try {
    const { size } = await file.stat();
    if (size > bytesMax) throw new LedElsewhere('it is no file of that kind');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
