import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './setup/host-settings.ts';
import { processTestFiles, unitTestFiles } from './setup/unit-test-files.ts';

const ITSELF = 'test/unit-files.test.ts';

test('no unit test starts a process of Node or a registry under git', () => {
  const slow = unitTestFiles()
    .filter((file) => file !== ITSELF)
    .filter((file) => /process\.execPath|\/git\/stage\.ts/.test(readFileSync(join(ROOT, file), 'utf8')));
  assert.deepEqual(slow, []);
});

test('a file without host is either a unit test or one with processes', () => {
  const unit = new Set(unitTestFiles());
  assert.deepEqual(
    processTestFiles().filter((file) => unit.has(file)),
    [],
  );
});
