import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/**
 * What tells the code that runs from any other: a hash of the one file that it is in, and the version of Node. Undefined
 * where sources are loaded one by one, since others of them may be new.
 * @param meta of the module that is started; the address in it is that of the file that runs, see `start.mjs`
 */
export async function runningBuild({ url }: ImportMeta): Promise<string | undefined> {
  if (url.endsWith('.ts')) return undefined;
  const text = await readFile(fileURLToPath(url)).catch(() => undefined);
  return text && createHash('sha256').update(process.version).update(text).digest('hex');
}
