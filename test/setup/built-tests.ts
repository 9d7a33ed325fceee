import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin, stop } from 'esbuild';
import { ROOT } from './host-settings.ts';

/** Below the folder of libraries, in which what is built finds them. */
const PLACE = join(ROOT, 'node_modules', '.cache');
const PREFIX = 'hersh-tests-';
/** What a run that was killed left is removed by one of the next day. */
const LEFT_MS_MIN = 24 * 3_600_000;
/** Stands for `import.meta.url` where a source has it. */
const URL_NAME = 'sourcesOwnUrl';

/** Options of Node for what is built. */
export const LIGHTLY = ['--enable-source-maps', '--require', join(ROOT, 'test', 'setup', 'light-hooks.cjs')];

/** What runs in one process: test files one after the other. */
export interface Part {
  /** Of the file that is built, without its ending. */
  name: string;
  /** As `test/…`. */
  files: readonly string[];
}

export interface BuiltTests {
  /** One for each part, in order. */
  paths: readonly string[];
  remove(): Promise<void>;
}

/**
 * Makes plain JavaScript of tests and of all that they import, once for all processes that run them: to load hundreds
 * of sources one by one costs each of them seconds. It is made anew for each run, so that it is never that of others.
 */
export async function buildTests(parts: readonly Part[]): Promise<BuiltTests> {
  await mkdir(PLACE, { recursive: true });
  await removeLeft();
  const outdir = await mkdtemp(join(PLACE, PREFIX));
  const remove = () => rm(outdir, { recursive: true, force: true });
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints: parts.map(({ name }, at) => ({ in: `part:${at}`, out: name })),
      ...{ bundle: true, splitting: true, outdir, outExtension: { '.js': '.mjs' } },
      ...{ platform: 'node', format: 'esm', target: 'node20', packages: 'external' },
      ...{ sourcemap: 'linked', sourcesContent: false, logLevel: 'warning' },
      define: { 'import.meta.url': URL_NAME },
      plugins: [{ name: 'tests', setup: (builder) => loadTests(builder, parts) }],
    });
  } catch (error) {
    await remove();
    throw error;
  } finally {
    // Its own process would stay as long as this one.
    await stop();
  }
  return { paths: parts.map(({ name }) => join(outdir, `${name}.mjs`)), remove };
}

async function removeLeft(): Promise<void> {
  for (const name of await readdir(PLACE)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(PLACE, name);
    const madeMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - madeMs > LEFT_MS_MIN) await rm(path, { recursive: true, force: true });
  }
}

/** A part imports its files; and what a source reads beside itself is beside that source. */
function loadTests({ onLoad, onResolve }: Parameters<Plugin['setup']>[0], parts: readonly Part[]): void {
  onResolve({ filter: /^part:/ }, ({ path }) => ({ path: path.slice('part:'.length), namespace: 'part' }));
  onLoad({ filter: /.*/, namespace: 'part' }, ({ path }) => {
    const files = parts[Number(path)]?.files ?? [];
    const contents = files.map((file) => `import ${JSON.stringify(join(ROOT, file))};`).join('\n');
    return { contents, resolveDir: ROOT };
  });
  onLoad({ filter: /\.tsx?$/ }, async ({ path }) => {
    const text = await readFile(path, 'utf8');
    if (!text.includes('import.meta.url')) return undefined;
    const place = JSON.stringify(pathToFileURL(path).href);
    return { contents: `const ${URL_NAME} = ${place};${text}`, loader: path.endsWith('x') ? 'tsx' : 'ts' };
  });
}
