import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../setup/host-settings.ts';

const STARTS = [
  ...['controller/start.mjs', 'controller/run-kept.mjs', 'controller/source-places.mjs'],
  ...['packaging/keep.ts', 'packaging/one-file.ts'],
];

/** A folder with what a start needs of libraries. */
function libraries(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hersh-libraries-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['esbuild', 'tsx']) symlinkSync(join(ROOT, 'node_modules', name), join(folder, name));
  return folder;
}

/** A small host with the same way to start. */
function smallHost(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'hersh-start-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['api', 'controller', 'registry/programs', 'schemas', 'packaging', 'node_modules'])
    mkdirSync(join(root, folder), { recursive: true });
  for (const file of STARTS) copyFileSync(join(ROOT, file), join(root, file));
  for (const name of ['esbuild', 'tsx'])
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  write('package-lock.json', '{}');
  write('package.json', '{"type":"module"}');
  write('schemas/place.ts', 'export const place: string = import.meta.url;\n');
  const main = (words: string) =>
    write(
      'controller/main.ts',
      `import { place } from '../schemas/place.ts';\nconsole.log('${words}', place, process.argv.slice(2).join());\n`,
    );
  const run = (cwd: string, args: readonly string[]) => {
    const argv = [join(root, 'controller/start.mjs'), ...args];
    const { stdout, stderr, status } = spawnSync(process.execPath, argv, { cwd, encoding: 'utf8' });
    return { stdout: stdout.trim(), stderr, status };
  };
  const start = Object.assign((...args: string[]) => run(root, args), {
    from: (cwd: string) => run(cwd, []),
  });
  const cache = join(root, 'node_modules/.cache/hersh-host');
  return { root, main, write, start, cache, place: pathToFileURL(join(root, 'schemas/place.ts')).href };
}

test('the host starts from one file of its sources, which is kept until one of them changes', (t) => {
  const { main, write, start, cache, place } = smallHost(t);
  main('one');
  assert.equal(start('--a', 'b').stdout, `one ${place} --a,b`, 'a source knows its own place');
  const kept = readdirSync(cache);
  assert.equal(start().stdout, `one ${place}`);
  assert.deepEqual(readdirSync(cache), kept);
  write('registry/programs/bot.ts', 'not of the host');
  start();
  assert.deepEqual(readdirSync(cache), kept);
  main('changed');
  assert.equal(start().stdout, `changed ${place}`);
  for (const words of ['3', '4', '5', '6']) {
    main(words);
    assert.equal(start().stdout, `${words} ${place}`);
  }
  const files = readdirSync(cache);
  const bundles = files.filter((name) => name.endsWith('.cjs'));
  assert.equal(bundles.length, 4, 'the newest');
  assert.deepEqual(files, bundles.flatMap((name) => [name, `${name}.map`]).sort(), 'each with its map alone');
});

test('it starts from the sources where that file can not be kept or made', (t) => {
  const { root, main, start, place } = smallHost(t);
  main('still');
  writeFileSync(join(root, 'node_modules/.cache'), 'in the way');
  assert.equal(start('x').stdout, `still ${place} x`);
  rmSync(join(root, 'node_modules/esbuild'));
  assert.equal(start('x').stdout, `still ${place} x`);
});

test('an error names the line of the source', (t) => {
  const { root, write, start, cache } = smallHost(t);
  write('controller/main.ts', `interface Gone {}\n\nthrow new Error('on line three');\n`);
  // Wherever it is started from, and wherever the libraries lie.
  rmSync(join(root, 'node_modules'), { recursive: true });
  symlinkSync(libraries(t), join(root, 'node_modules'));
  for (const cwd of [root, ROOT, '/']) {
    const { status, stderr } = start.from(cwd);
    assert.equal(status, 1);
    assert.ok(
      stderr.includes(`(${join(root, 'controller/main.ts')}:3`) ||
        stderr.includes(` ${join(root, 'controller/main.ts')}:3`),
      stderr,
    );
    rmSync(cache, { recursive: true });
  }
});

test('the real one says the same by either way', () => {
  const run = (...argv: string[]) =>
    spawnSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' }).stdout;
  const told = run('controller/start.mjs', '--help');
  assert.match(told, /--registry/);
  assert.equal(told, run('--import', 'tsx', 'controller/main.ts', '--help'));
});
