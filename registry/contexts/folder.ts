import { realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { AppError, codeOf, messageOf } from '../../schemas/errors.ts';
import { RESERVED_FOLDERS } from '../../schemas/resolve.ts';

export interface LocatedFolder {
  /** The real folder, links resolved. */
  folder: string;
  /** The registry's own real folder. */
  realRoot: string;
  /** Whether it is the registry itself, of which the reserved folders are no part. */
  isRoot: boolean;
}

/** The real folder of a context, which lies in the registry and outside its reserved folders. Rejects `BuildFailed`. */
export async function locate(root: string, context: string): Promise<LocatedFolder> {
  let realRoot: string;
  let folder: string;
  try {
    realRoot = await realpath(root);
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
  if (leadsOut(realRoot, folder)) {
    throw new AppError('BuildFailed', `${context} leads out of the registry`, {
      hint: 'A context may be any folder of the registry but .git, status and data; copy the files there.',
    });
  }
  return { folder, realRoot, isRoot: folder === realRoot };
}

/** Whether a real path lies outside the registry, or in a folder of it that no build may see. */
export function leadsOut(realRoot: string, path: string): boolean {
  const inner = relative(realRoot, path);
  const first = inner.split(sep)[0] ?? '';
  return first === '..' || inner.startsWith(sep) || RESERVED_FOLDERS.includes(first);
}
