/**
 * `npm run build`, its second half: what a machine without this repository runs. The host and the command are one file
 * each, with every library in it, so that neither loader nor download is needed where they are installed.
 */
import { chmod, copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MADE = join(ROOT, 'packaging', 'dist');
const BINS = { 'hersh-host': 'controller/main.ts', hershctl: 'api/cli/bin.ts' } as const;
const NODE = 'node20';

/** What a library asks for at its start that a file of this kind does not have. */
const COMMON_JS = [
  "import { createRequire as requireOfBundle } from 'node:module';",
  "import { dirname as folderOfBundle } from 'node:path';",
  "import { fileURLToPath as pathOfBundle } from 'node:url';",
  'const require = requireOfBundle(import.meta.url);',
  'const __filename = pathOfBundle(import.meta.url);',
  'const __dirname = folderOfBundle(__filename);',
].join('\n');

/** Of libraries' files that sources, or the libraries, read at run time: the path, by its name beside the bundle. */
const BESIDE = ['dockerode/lib/proto/buildkit_status.proto', 'dockerode/lib/proto/auth.proto'];
/** A source's word for such a file. */
const RESOLVED = /createRequire\(import\.meta\.url\)\.resolve\('([^']+)'\)/g;

/** What libraries load at their start and a host on a socket of this machine does not use: loaded when it is called. */
const LATE: Readonly<Record<string, { name: string; module: string }>> = {
  'dockerode/lib/docker.js': { name: 'withSession', module: './session' },
  'docker-modem/lib/modem.js': { name: 'ssh', module: './ssh' },
};

const require = createRequire(import.meta.url);
const folder = `${MADE}.${process.pid}`;
try {
  await mkdir(join(folder, 'proto'), { recursive: true });
  for (const name of BESIDE) await copyFile(require.resolve(name), join(folder, 'proto', basename(name)));
  for (const [name, entry] of Object.entries(BINS)) await makeBin(name, entry);
  await rm(MADE, { recursive: true, force: true });
  await rename(folder, MADE);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function makeBin(name: string, entry: string): Promise<void> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: NODE,
    outfile,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'eof',
    logLevel: 'warning',
    banner: { js: `#!/usr/bin/env node\n${COMMON_JS}` },
    plugins: [
      { name: 'places', setup: placeSources },
      { name: 'late', setup: loadLate },
      { name: 'native', setup: leaveNative },
      { name: 'llhttp', setup: takeLlhttp },
    ],
  });
  await chmod(outfile, 0o755);
}

/** Files that a source reads lie beside that source, in the package as here. */
function placeSources({ onLoad }: Parameters<Plugin['setup']>[0]): void {
  onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8');
    const place = relative(MADE, path).split(sep).join('/');
    const contents = text
      .replaceAll(RESOLVED, (_, name: string) => {
        if (!BESIDE.includes(name))
          throw new Error(`${path} reads ${name}: add it to what lies beside the bundle`);
        return `__dirname + '/proto/${basename(name)}'`;
      })
      .replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`);
    return { contents, loader: 'ts' };
  });
}

function loadLate({ onLoad }: Parameters<Plugin['setup']>[0]): void {
  onLoad({ filter: /\/(dockerode\/lib\/docker|docker-modem\/lib\/modem)\.js$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8');
    const late = Object.entries(LATE).find(([end]) => path.endsWith(end))?.[1];
    const load = ['require', '(', "'", late?.module, "'", ')'].join('');
    const eager = `${late?.name} = ${load}`;
    if (!text.includes(eager)) throw new Error(`${path} does not say ${eager} any more: see LATE`);
    const contents = text.replace(eager, `${late?.name} = (...args) => ${load}(...args)`);
    return { contents, loader: 'js' };
  });
}

/** Machine code that makes a library faster is left out: it does without where there is none. */
function leaveNative({ onResolve, onLoad }: Parameters<Plugin['setup']>[0]): void {
  onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({ path, namespace: 'native' }));
  onLoad({ filter: /.*/, namespace: 'native' }, ({ path }) => ({
    contents: `throw new Error(${JSON.stringify(`${path} is not brought along`)})`,
  }));
}

/** As bytes: as a module of CommonJS each of them would become a property. */
function takeLlhttp({ onLoad }: Parameters<Plugin['setup']>[0]): void {
  onLoad({ filter: /\/llhttp-wasm\.js$/ }, ({ path }) => ({
    contents: require(path) as Uint8Array,
    loader: 'binary',
  }));
}
