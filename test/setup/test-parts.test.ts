import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './host-settings.ts';
import { LONGEST, partsOf } from './test-parts.ts';
import { processTestFiles, unitTestFiles } from './unit-test-files.ts';

const OTHERS = ['test/e2e/a.test.ts', ...LONGEST, 'test/scenario/b.test.ts'];
const ALL = [...unitTestFiles(), ...OTHERS, ...processTestFiles()];

test('every file is in one part, and no part is empty', () => {
  const parts = partsOf(ALL);
  assert.deepEqual(parts.flatMap(({ files }) => files).sort(), [...ALL].sort());
  assert.ok(parts.every(({ files }) => files.length > 0));
});

test('names are in the order in which the parts are to begin', () => {
  const parts = partsOf(ALL);
  const names = parts.map(({ name }) => name);
  assert.deepEqual(names, [...names].sort());
  assert.equal(new Set(names).size, names.length);
  const at = (file: string) => parts.findIndex(({ files }) => files.includes(file));
  for (const file of LONGEST) assert.ok(at(file) < at('test/e2e/a.test.ts'), file);
});

test('a few files are only those', () => {
  const [unit = ''] = unitTestFiles();
  assert.deepEqual(
    partsOf([unit]).map(({ files }) => files),
    [[unit]],
  );
  assert.deepEqual(partsOf([]), []);
});

test('what takes longest is there', () => {
  for (const file of LONGEST) assert.ok(existsSync(join(ROOT, file)), file);
});
