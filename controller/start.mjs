// Starts the host: `npm start`. Plain Node, so that no loader has to be there first.
//
// The sources are hundreds of small files, and to load each by itself takes longer than all else that a start does. So
// esbuild makes one file of them, which is kept and made anew whenever a source has changed (docs/adr/0016). Where
// that can not be made or kept, the sources are loaded as they are.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MAIN = join(ROOT, 'controller', 'main.ts');
/** What the host is made of. */
const FOLDERS = ['api', 'controller', 'registry', 'schemas'];
/** Lie among them, and are none of it: the default registry, and the page, which is built by itself. */
const OTHERS = [
  ...['data', 'programs', 'secrets', 'sources', 'status'].map((name) => join(ROOT, 'registry', name)),
  join(ROOT, 'api', 'ui'),
];
const KEPT = join(ROOT, 'node_modules', '.cache', 'hersh-host');
/** Of other states of the sources, as in a checkout that goes to and fro. */
const KEPT_MAX = 4;

const bundle = await bundled().catch(() => undefined);
if (bundle === undefined) {
  (await import('tsx/esm/api')).register();
  await import(pathToFileURL(MAIN).href);
} else {
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(bundle).href);
}

/** The path of the sources as one file. */
async function bundled() {
  const path = join(KEPT, `${await fingerprint()}.mjs`);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  const text = await bundleText();
  await mkdir(KEPT, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  // Another host may make the same at this moment, and either will do.
  await rename(temporary, path);
  await removeOld(path).catch(() => undefined);
  return path;
}

/** Of all that goes into it: paths, sizes and times of the sources, and what makes it. */
async function fingerprint() {
  const hash = createHash('sha256').update(JSON.stringify([ROOT, process.version]));
  const files = [join(ROOT, 'package-lock.json'), fileURLToPath(import.meta.url)];
  for (const folder of FOLDERS) files.push(...(await sourcesIn(join(ROOT, folder))));
  const found = await Promise.all(files.map((file) => stat(file, { bigint: true })));
  for (const [at, { size, mtimeNs }] of found.entries()) hash.update(`\n${files[at]} ${size} ${mtimeNs}`);
  return hash.digest('hex').slice(0, 32);
}

async function sourcesIn(folder) {
  const files = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name.endsWith('.ts')) files.push(path);
    else if (entry.isDirectory() && !OTHERS.includes(path)) files.push(...(await sourcesIn(path)));
  }
  return files.sort();
}

async function bundleText() {
  const { build, stop } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [MAIN],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outfile: join(ROOT, 'main.mjs'),
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [{ name: 'places', setup: keepPlaces }],
    // Its own process would stay as long as the host.
  }).finally(stop);
  const [map, code] = ['.map', '.mjs'].map((end) => outputFiles.find(({ path }) => path.endsWith(end)).text);
  const { sources, ...rest } = JSON.parse(map);
  // Not relative: the folder of libraries, in which it is kept, may be a link to elsewhere.
  const absolute = sources.map((source) => pathToFileURL(join(ROOT, source)).href);
  const inline = Buffer.from(JSON.stringify({ ...rest, sources: absolute })).toString('base64');
  return `${code}//# sourceMappingURL=data:application/json;base64,${inline}\n`;
}

/** Files that a source reads lie beside that source, not beside the one that all become. */
function keepPlaces({ onLoad }) {
  onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8');
    const place = JSON.stringify(pathToFileURL(path).href);
    return { contents: text.replaceAll('import.meta.url', place), loader: 'ts' };
  });
}

/** The newest few stay: a host may just be starting from one of them. */
async function removeOld(own) {
  const names = (await readdir(KEPT)).filter((name) => name.endsWith('.mjs'));
  const aged = await Promise.all(
    names.map(async (name) => ({ path: join(KEPT, name), ms: (await stat(join(KEPT, name))).mtimeMs })),
  );
  aged.sort((one, other) => other.ms - one.ms);
  for (const { path } of aged.slice(KEPT_MAX)) if (path !== own) await rm(path, { force: true });
}
