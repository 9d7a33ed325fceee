/**
 * `npm run build`, its second half: what a machine without this repository runs. The host and the command are one file
 * each, with every library in it, so that neither loader nor download is needed where they are installed.
 */
import { chmod, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { makeOneFile, type Places } from './one-file.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MADE = join(ROOT, 'packaging', 'dist');

/** Of libraries' files that sources, or the libraries, read at run time: the path, by its name beside the bundle. */
const BESIDE = ['dockerode/lib/proto/buildkit_status.proto', 'dockerode/lib/proto/auth.proto'];

/** Files that a source reads lie beside that source, in the package as here; those of libraries lie beside the bundle. */
const PLACES: Places = {
  urlOf(path) {
    const place = relative(MADE, path).split(sep).join('/');
    return `new URL(${JSON.stringify(place)}, urlOfBundle).href`;
  },
  fileOf(name, source) {
    if (!BESIDE.includes(name))
      throw new Error(`${source} reads ${name}: add it to what lies beside the bundle`);
    return `__dirname + '/proto/${basename(name)}'`;
  },
};

const require = createRequire(import.meta.url);
const folder = `${MADE}.${process.pid}`;
const inFolder = (name: string) => join(folder, name);
try {
  await mkdir(inFolder('proto'), { recursive: true });
  for (const name of BESIDE) await copyFile(require.resolve(name), join(folder, 'proto', basename(name)));
  await makeOneFile({
    ...{ entry: 'controller/main.ts', outfile: inFolder('hersh-host.cjs') },
    ...{ form: 'function', places: PLACES },
  });
  await makeStart(inFolder('hersh-host.mjs'));
  await makeOneFile({
    ...{ entry: 'api/cli/bin.ts', outfile: inFolder('hershctl.mjs') },
    ...{ form: 'module', places: PLACES },
  });
  for (const name of ['hersh-host.mjs', 'hershctl.mjs']) await chmod(inFolder(name), 0o755);
  await rm(MADE, { recursive: true, force: true });
  await rename(folder, MADE);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function makeStart(outfile: string): Promise<void> {
  const entryPoints = [join(ROOT, 'controller', 'start-installed.mjs')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
}
