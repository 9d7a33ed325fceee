import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './setup/host-settings.ts';
import { sourceFiles, styleFiles, testFiles } from './source-files.ts';

/** That no function is too long is checked with the style, see `noExcessiveLinesPerFunction` in biome.json. */
const SOURCE_LINES_MAX = 300;
/** Tests are tables and stories, which are read one at a time. */
const TEST_LINES_MAX = 400;

function longer(files: readonly string[], linesMax: number, filesMin = 100): string[] {
  assert.ok(files.length > filesMin, `only ${files.length} files were found`);
  return files.flatMap((file) => {
    const lines = readFileSync(join(ROOT, file), 'utf8').trimEnd().split('\n').length;
    return lines > linesMax ? [`${file}: ${lines} lines`] : [];
  });
}

test(`no file has more than ${SOURCE_LINES_MAX} lines`, () => {
  assert.deepEqual(longer(sourceFiles(), SOURCE_LINES_MAX), []);
});

test(`no file of styles has more than ${SOURCE_LINES_MAX} lines`, () => {
  assert.deepEqual(longer(styleFiles(), SOURCE_LINES_MAX, 5), []);
});

test(`no file of tests has more than ${TEST_LINES_MAX} lines`, () => {
  assert.deepEqual(longer(testFiles(), TEST_LINES_MAX), []);
});
