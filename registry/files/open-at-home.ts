import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';

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
    const stats = await file.stat();
    if (!stats.isFile()) throw new LedElsewhere('it is not a file');
    if (leadsOut(await placeOf(file, target, stats)))
      throw new LedElsewhere('it leads out of the registry by now');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Where what was opened lies, as a real path; or lay, where another has taken its place since, at any moment. */
async function placeOf(file: FileHandle, path: string | Buffer, { dev, ino }: Stats): Promise<string> {
  const shown = await readlink(`/proc/self/fd/${file.fd}`).catch(() => undefined);
  if (shown !== undefined) return shown.replace(/ \(deleted\)$/, '');
  // A system that does not tell: then it has to be there still.
  const real = await realpath(path);
  const there = await stat(real);
  if (there.dev !== dev || there.ino !== ino) throw new LedElsewhere('another file lies there by now');
  return real;
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
