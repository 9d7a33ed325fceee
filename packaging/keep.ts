/**
 * `node --import tsx packaging/keep.ts PATH`: the host of this checkout as one file, which start.mjs runs from then on.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeOneFile } from './one-file.ts';

/** Of other states of the sources, as in a checkout that goes to and fro. */
const KEPT_MAX = 4;
/** Of the host's file; what else is of it begins with its name. */
const END = '.cjs';

const [path = ''] = process.argv.slice(2);
const folder = dirname(path);
// Another host may make the same at this moment, and either will do.
const work = join(folder, `making-${process.pid}`);
try {
  await mkdir(work, { recursive: true });
  const outfile = join(work, basename(path));
  await makeOneFile({
    entry: 'controller/main.ts',
    outfile,
    form: 'function',
    places: {
      urlOf: (source) => JSON.stringify(pathToFileURL(source).href),
      folderOf: (library) => JSON.stringify(dirname(library)),
    },
  });
  await placeMap(`${outfile}.map`);
  await rename(`${outfile}.map`, `${path}.map`);
  await sync(outfile);
  await rename(outfile, path);
} finally {
  await rm(work, { recursive: true, force: true });
}
await removeOld(path);

/** A host that was cut off here would find a file with nothing in it, at every start. */
async function sync(file: string): Promise<void> {
  const handle = await open(file);
  await handle.sync().finally(() => handle.close());
}

/** Its sources by their whole paths: the folder of libraries, in which it is kept, may be a link to elsewhere. */
async function placeMap(map: string): Promise<void> {
  const { sources, ...rest } = JSON.parse(await readFile(map, 'utf8')) as { sources: string[] };
  const absolute = sources.map((source) => resolve(dirname(map), source));
  await writeFile(map, JSON.stringify({ ...rest, sources: absolute }));
}

/** The newest few stay: a host may just be starting from one of them. */
async function removeOld(own: string): Promise<void> {
  const names = await readdir(folder);
  const bundles = names.filter((name) => name.endsWith(END));
  const aged = await Promise.all(
    bundles.map(async (name) => ({ name, ms: (await stat(join(folder, name))).mtimeMs })),
  );
  aged.sort((one, other) => other.ms - one.ms);
  for (const { name } of aged.slice(KEPT_MAX)) {
    if (name === basename(own)) continue;
    for (const other of names) if (other.startsWith(name)) await rm(join(folder, other), { force: true });
  }
}
