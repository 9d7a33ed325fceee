import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../setup/host-settings.ts';

const RUN = pathToFileURL(join(ROOT, 'controller/run-kept.mjs')).href;
/** A flag of V8's, with which it takes nothing that was compiled without. */
const OTHER_FLAGS = ['--no-opt'];

/** A host of one line, run from a folder of its own. */
function oneFile(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'hersh-kept-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const path = join(root, 'host.cjs');
  const cache = join(root, 'cache', 'host');
  const says = (words: string) =>
    writeFileSync(path, `(function (exports, require, module) { console.log(${JSON.stringify(words)}) })`);
  const run = (flags: readonly string[] = [], folder = cache) => {
    const text = `import { runKept } from ${JSON.stringify(RUN)};
      const keeping = runKept(${JSON.stringify(path)}, ${JSON.stringify(folder)}, 0);
      console.log(keeping === undefined ? 'kept' : 'compiled');
      // To keep it keeps no process alive.
      const alive = setInterval(() => {}, 1_000);
      await keeping;
      clearInterval(alive);`;
    const argv = [...flags, '--input-type=module', '-e', text];
    const { stdout, stderr, status } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return stdout.trim().split('\n').join(', ');
  };
  const keptFiles = () => (existsSync(cache) ? readdirSync(cache).map((name) => join(cache, name)) : []);
  return { root, path, cache, says, run, keptFiles };
}

test('what V8 compiled is kept, and taken at the next start', (t) => {
  const { says, run, keptFiles } = oneFile(t);
  says('hello');
  assert.equal(run(), 'hello, compiled');
  assert.equal(keptFiles().length, 1);
  assert.equal(run(), 'hello, kept');
  assert.equal(keptFiles().length, 1);
});

test('of another file, though as long, nothing is taken', (t) => {
  const { path, says, run } = oneFile(t);
  says('hello');
  run();
  says('olleh');
  utimesSync(path, 1, 1);
  assert.equal(run(), 'olleh, compiled');
  assert.equal(run(), 'olleh, kept');
});

test('what is damaged is thrown away and made anew', (t) => {
  const { says, run, keptFiles } = oneFile(t);
  says('hello');
  run();
  const [file = ''] = keptFiles();
  const whole = readFileSync(file);
  const flipped = Buffer.from(whole);
  flipped.writeUInt8(flipped.readUInt8(whole.length - 9) ^ 1, whole.length - 9);
  for (const damaged of [flipped, whole.subarray(0, whole.length / 2), Buffer.alloc(0)]) {
    writeFileSync(file, damaged);
    assert.equal(run(), 'hello, compiled');
    assert.deepEqual(keptFiles(), [file]);
    assert.equal(run(), 'hello, kept');
  }
});

test('another V8 keeps its own, and takes nothing of this one', (t) => {
  const { says, run, keptFiles } = oneFile(t);
  says('hello');
  run();
  const [ours = ''] = keptFiles();
  assert.equal(run(OTHER_FLAGS), 'hello, compiled');
  assert.equal(run(OTHER_FLAGS), 'hello, kept');
  assert.equal(run(), 'hello, kept');
  const theirs = keptFiles().find((file) => file !== ours) ?? '';
  copyFileSync(ours, theirs);
  assert.equal(run(OTHER_FLAGS), 'hello, compiled', 'V8 itself refuses it');
  assert.equal(run(OTHER_FLAGS), 'hello, kept');
});

test('where nothing can be written, each start compiles', (t) => {
  const { root, says, run } = oneFile(t);
  says('hello');
  writeFileSync(join(root, 'in-the-way'), '');
  const folder = join(root, 'in-the-way', 'cache');
  assert.equal(run([], folder), 'hello, compiled');
  assert.equal(run([], folder), 'hello, compiled');
});
