/**
 * `npm run build`: makes the page into `dist/`, with what is sent compressed beside each file. A host that runs serves
 * what lies there, so it is made beside and put there whole, and not at all where something is wrong with it.
 */
import { mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { codeOf } from '../../../schemas/errors.ts';
import { compressAll } from './compress.ts';
import { FIRST_LOAD_BYTES_MAX, firstLoad } from './first-load.ts';

const UI = fileURLToPath(new URL('../', import.meta.url));
const DIST = join(UI, 'dist');
/** What a build that was killed left behind goes with one that begins this much later, in milliseconds. */
const LEFT_MS_MAX = 3_600_000;

await removeLeftOver();
const workplace = await mkdtemp(`${DIST}-`);
const made = join(workplace, 'page');
try {
  const startedAt = new Date();
  await build({
    configFile: join(UI, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: made, emptyOutDir: true },
  });
  await compressAll(made);
  const { files, bytes } = await firstLoad(made);
  const size = `${(bytes / 1000).toFixed(1)} of ${FIRST_LOAD_BYTES_MAX / 1000} KB`;
  if (bytes > FIRST_LOAD_BYTES_MAX) {
    throw new Error(`the page is too large to begin with: ${size} in ${files.join(', ')}`);
  }
  // What is saved while it is made is newer than it, see test/setup/page.ts.
  await utimes(join(made, 'index.html'), startedAt, startedAt);
  await rename(DIST, join(workplace, 'before')).catch(unlessNone);
  await rename(made, DIST);
  console.log(`The page is built; its first load is ${size} (${files.length} files, brotli)`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(workplace, { recursive: true, force: true });
}

async function removeLeftOver(): Promise<void> {
  for (const name of await readdir(UI)) {
    if (!name.startsWith('dist-')) continue;
    const path = join(UI, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > LEFT_MS_MAX) await rm(path, { recursive: true, force: true });
  }
}

function unlessNone(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
