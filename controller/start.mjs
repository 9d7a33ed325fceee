// Starts the host: `npm start`. Plain Node, so that no loader has to be there first.
//
// The sources are hundreds of small files, and to load each by itself takes longer than all else that a start does. So
// packaging/keep.ts makes one file of them and their libraries, which is kept and made anew whenever a source has
// changed (docs/adr/0016). Where that can not be made or kept, the sources are loaded as they are.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runKept } from './run-kept.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** What the host is made of. */
const FOLDERS = ['api', 'controller', 'registry', 'schemas'];
/** Lie among them, and are none of it: the default registry, and the page, which is built by itself. */
const OTHERS = [
  ...['data', 'programs', 'secrets', 'sources', 'status'].map((name) => join(ROOT, 'registry', name)),
  join(ROOT, 'api', 'ui'),
];
/** What makes it, and which libraries there are. */
const MAKERS = ['package-lock.json', 'packaging/keep.ts', 'packaging/one-file.ts'];
const KEPT = join(ROOT, 'node_modules', '.cache', 'hersh-host');

const bundle = bundled();
if (bundle === undefined) {
  (await import('tsx/esm/api')).register();
  await import(pathToFileURL(join(ROOT, 'controller', 'main.ts')).href);
} else {
  runKept(bundle, KEPT);
}

/** The path of the sources as one file. */
function bundled() {
  const path = join(KEPT, `${fingerprint()}.cjs`);
  if (existsSync(path)) return path;
  const argv = ['--import', 'tsx', join(ROOT, 'packaging', 'keep.ts'), path];
  // Its memory, and that of what it makes the file with, is not the host's for long.
  spawnSync(process.execPath, argv, { cwd: ROOT, stdio: 'ignore' });
  return existsSync(path) ? path : undefined;
}

/** Of all that goes into it: paths, sizes and times of the sources, and what makes it. */
function fingerprint() {
  const hash = createHash('sha256').update(JSON.stringify([ROOT, process.version]));
  const files = MAKERS.map((name) => join(ROOT, name));
  for (const folder of FOLDERS) files.push(...sourcesIn(join(ROOT, folder)));
  for (const file of files) {
    const { size, mtimeNs } = statSync(file, { bigint: true });
    hash.update(`\n${file} ${size} ${mtimeNs}`);
  }
  return hash.digest('hex').slice(0, 32);
}

function sourcesIn(folder) {
  const files = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name.endsWith('.ts')) files.push(path);
    else if (entry.isDirectory() && !OTHERS.includes(path)) files.push(...sourcesIn(path));
  }
  return files.sort();
}
