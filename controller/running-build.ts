import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/**
 * What tells the code that runs from any other: a hash of the one file that it is in, and the version of Node. Undefined
 * where sources are loaded one by one, since others of them may be new.
 * @param path of the file that runs, undefined where Node does not tell it (before 20.11)
 */
export async function runningBuild(path: string | undefined): Promise<string | undefined> {
  if (path === undefined || path.endsWith('.ts')) return undefined;
  const text = await readFile(path).catch(() => undefined);
  return text && createHash('sha256').update(process.version).update(text).digest('hex');
}
