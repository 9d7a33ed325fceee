import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { readlink, realpath } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { LedElsewhere, openAtHome } from '../files/open-at-home.ts';
import { statKey } from '../files/settle.ts';
import { unlessGone } from '../files/unless-gone.ts';
import { MODE_FOLDER, modeOf } from './entries.ts';
import { type Bounds, leadsOut } from './folder.ts';
import { type LocatedEntry, sha256 } from './tar.ts';

/** The entry of a file or link, or undefined where it is gone by now. Rejects `BuildFailed` where it can be in no context. */
export async function readEntry(
  bounds: Bounds,
  build: BuildSpec,
  name: string,
  path: string,
  stats: BigIntStats,
): Promise<LocatedEntry | undefined> {
  const base = { name, path, statKey: statKey(stats), size: Number(stats.size), mode: modeOf(stats) };
  if (stats.isSymbolicLink()) {
    const target = await readlink(path).catch(unlessGone);
    const end = await realpath(path).catch(() => undefined);
    if (end !== undefined && leadsOut(bounds, end)) {
      throw new AppError('BuildFailed', `${build.context}/${name} is a link that leads out of the registry`, {
        hint: 'Copy the file into the context, or list the link in .dockerignore.',
      });
    }
    return target === undefined ? undefined : { ...base, sha256: sha256(target) };
  }
  if (!stats.isFile()) {
    throw new AppError('BuildFailed', `${build.context}/${name} is neither a file, a folder nor a link`, {
      hint: 'Remove it, or list it in .dockerignore.',
    });
  }
  const hash = createHash('sha256');
  const read = openAtHome(path, (real) => leadsOut(bounds, real)).then((file) =>
    pipeline(file.createReadStream(), hash),
  );
  const how = await read.catch((error: unknown) => {
    // Another lies there by now: it is looked at again.
    if (!(error instanceof LedElsewhere)) unlessGone(error);
    return 'gone';
  });
  return how === 'gone' ? undefined : { ...base, sha256: hash.digest('hex') };
}

export function folderEntry(name: string, path: string): LocatedEntry {
  return { name, path, statKey: '', size: 0, mode: MODE_FOLDER, sha256: sha256('') };
}
