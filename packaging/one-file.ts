import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const require = createRequire(import.meta.url);
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

export interface OneFile {
  /** Of the source that starts it, from the root of the checkout. */
  entry: string;
  outfile: string;
  /** A `module` has a line for the shell and is run as it is; a `function` is run by run-kept.mjs, and waits for nothing. */
  form: 'module' | 'function';
  /** Where a source or a library finds what it reads from beside itself. */
  places: Places;
}

export interface Places {
  /** @returns an expression: the URL of a source */
  urlOf(path: string): string;
  /** @returns an expression: the path of a library's file that a source names */
  fileOf?(name: string, source: string): string;
  /** @returns an expression: the folder of a library's module */
  folderOf?(path: string): string;
}

/** What a library asks for at its start that a module does not have. */
const COMMON_JS = [
  '#!/usr/bin/env node',
  "import { createRequire as requireOfBundle } from 'node:module';",
  "import { dirname as folderOfBundle } from 'node:path';",
  "import { fileURLToPath as pathOfBundle } from 'node:url';",
  'const require = requireOfBundle(import.meta.url);',
  'const __filename = pathOfBundle(import.meta.url);',
  'const __dirname = folderOfBundle(__filename);',
  'const urlOfBundle = import.meta.url;',
].join('\n');

/** As strict as the sources, which are modules. */
const FUNCTION = [
  "(function (exports, require, module, __filename, __dirname) { 'use strict';",
  "const urlOfBundle = require('node:url').pathToFileURL(__filename).href;",
].join('\n');

const FORMS = {
  module: { format: 'esm', banner: { js: COMMON_JS } },
  function: {
    format: 'cjs',
    banner: { js: FUNCTION },
    footer: { js: '})' },
    define: { 'import.meta.url': 'urlOfBundle', 'import.meta.filename': '__filename' },
    // Nobody reads it: places in it are told as those of the sources. Names stay.
    minifyWhitespace: true,
    // There is no loader behind it that could be asked later.
    supported: { 'dynamic-import': false },
  },
} as const satisfies Record<string, BuildOptions>;

/** What libraries load at their start and a host on a socket of this machine does not use: loaded when it is called. */
const LATE: Readonly<Record<string, { name: string; module: string }>> = {
  'dockerode/lib/docker.js': { name: 'withSession', module: './session' },
  'docker-modem/lib/modem.js': { name: 'ssh', module: './ssh' },
};

/** A source's word for a file of a library. */
const RESOLVED = /createRequire\(import\.meta\.url\)\.resolve\('([^']+)'\)/g;

/** Sources and every library that they need as one file, with a source map beside it and no source in that. */
export async function makeOneFile({ entry, outfile, form, places }: OneFile): Promise<void> {
  await build({
    ...FORMS[form],
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile,
    sourcemap: form === 'module' ? 'linked' : 'external',
    sourcesContent: false,
    legalComments: 'external',
    logLevel: 'warning',
    plugins: [
      { name: 'places', setup: (to) => placeSources(to, places) },
      { name: 'libraries', setup: (to) => changeLibraries(to, places) },
      { name: 'llhttp', setup: takeLlhttp },
      { name: 'native', setup: leaveNative },
    ],
  });
  if (form === 'module') return;
  // It is read as such, which takes no time.
  if (/[^\0-\x7f]/.test(await readFile(outfile, 'latin1'))) throw new Error(`${outfile} is not in ASCII`);
}

type To = Parameters<Plugin['setup']>[0];

/** Files that a source reads lie beside that source, not beside the one that all become. */
function placeSources({ onLoad }: To, { urlOf, fileOf }: Places): void {
  onLoad({ filter: /\.ts$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8');
    const contents = text
      .replaceAll(RESOLVED, (all, name: string) => fileOf?.(name, path) ?? all)
      .replaceAll('import.meta.url', () => urlOf(path));
    return { contents, loader: 'ts' };
  });
}

function changeLibraries({ onLoad }: To, { folderOf }: Places): void {
  onLoad({ filter: /\/(dockerode|docker-modem)\/lib\/\w+\.js$/ }, async ({ path }) => {
    const text = lateIn(path, await readFile(path, 'utf8'));
    return { contents: folderOf ? text.replaceAll('__dirname', folderOf(path)) : text, loader: 'js' };
  });
}

function lateIn(path: string, text: string): string {
  const late = Object.entries(LATE).find(([end]) => path.endsWith(end))?.[1];
  if (late === undefined) return text;
  const load = ['require', '(', "'", late.module, "'", ')'].join('');
  const eager = `${late.name} = ${load}`;
  if (!text.includes(eager)) throw new Error(`${path} does not say ${eager} any more: see LATE`);
  return text.replace(eager, `${late.name} = (...args) => ${load}(...args)`);
}

/** As bytes: as a module of CommonJS each of them would become a property. */
function takeLlhttp({ onLoad }: To): void {
  onLoad({ filter: /\/llhttp-wasm\.js$/ }, ({ path }) => ({
    contents: require(path) as Uint8Array,
    loader: 'binary',
  }));
}

/** Machine code that makes a library faster is left out: it does without where there is none. */
function leaveNative({ onResolve, onLoad }: To): void {
  onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({ path, namespace: 'native' }));
  onLoad({ filter: /.*/, namespace: 'native' }, ({ path }) => ({
    contents: `throw new Error(${JSON.stringify(`${path} is not brought along`)})`,
  }));
}
