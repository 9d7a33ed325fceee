import { realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import { RESERVED_FOLDERS } from '../../schemas/resolve.ts';
import { isWithin } from '../files/is-within.ts';

export interface LocatedFolder {
  /** The real folder, links resolved. */
  folder: string;
  /** The real folders in which all of a context has to lie. */
  bounds: Bounds;
  /** Whether it is the registry itself, of which the reserved folders are no part. */
  isRoot: boolean;
}

export interface Bounds {
  /** The registry's own. */
  root: string;
  /** That of `sources/`, which may be a link to another disk, as `programs/` may. */
  sources: string;
}

/** Whether `sources/` may be a link to elsewhere: asked where it is one. */
export type MayLink = () => Promise<boolean>;

/** The real folder of a context, which lies in the registry and outside its reserved folders. Rejects `BuildFailed`. */
export async function locate(root: string, context: string, mayLink: MayLink): Promise<LocatedFolder> {
  let bounds: Bounds;
  let folder: string;
  try {
    const real = await realpath(root);
    bounds = { root: real, sources: await sourcesOf(root, real, mayLink) };
    folder = await realpath(join(root, context));
    if (!(await stat(folder)).isDirectory()) {
      throw new AppError('BuildFailed', `${context} is not a folder`, { hint: 'Mend spec.build.context.' });
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    const why = codeOf(error) === 'ENOENT' ? 'does not exist' : `can not be read: ${messageOf(error)}`;
    throw new AppError('BuildFailed', `${context} ${why}`, {
      cause: error,
      hint: 'spec.build.context names a folder relative to the registry.',
    });
  }
  if (leadsOut(bounds, folder)) {
    throw new AppError('BuildFailed', `${context} leads out of the registry`, {
      hint: 'A context may be any folder of the registry but .git, status and data; copy the files there.',
    });
  }
  return { folder, bounds, isRoot: folder === bounds.root };
}

async function sourcesOf(root: string, real: string, mayLink: MayLink): Promise<string> {
  const sources = await realpath(join(root, 'sources')).catch(() => real);
  return sources.startsWith(real + sep) || (await mayLink()) ? sources : real;
}

/** Whether a real path lies outside the registry, or in a folder of it that no build may see. */
export function leadsOut({ root, sources }: Bounds, path: string): boolean {
  if (isWithin(root, path)) return RESERVED_FOLDERS.includes(relative(root, path).split(sep)[0] ?? '');
  // A link to something above the registry is none to a disk for sources.
  return !isWithin(sources, path) || root.startsWith(sources + sep);
}
