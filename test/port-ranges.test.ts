import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './setup/host-settings.ts';
import { testFiles } from './source-files.ts';

/** Files whose hosts publish ports on this machine; they run at the same time. */
const FOLDERS = /^test\/(e2e|page|chaos|bench)\//;
/** A host's own default, which help texts name. */
const DEFAULT = '19001-29999';
const RANGE = /'(\d{5})-(\d{5})'/g;

interface Range {
  file: string;
  min: number;
  max: number;
  text: string;
}

test('no two files that run hosts on this machine share a port', () => {
  const ranges: Range[] = testFiles()
    .filter((file) => FOLDERS.test(file))
    .flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(RANGE)].map(([, min, max]) => {
        return { file, min: Number(min), max: Number(max), text: `${min}-${max}` };
      }),
    )
    .filter(({ text }) => text !== DEFAULT);
  assert.ok(ranges.length > 20, `only ${ranges.length} ranges were found`);
  const shared = ranges.flatMap((one, i) =>
    ranges
      .slice(i + 1)
      .filter((two) => two.file !== one.file && two.min <= one.max && one.min <= two.max)
      .map((two) => `${one.file} and ${two.file}: ${one.text}, ${two.text}`),
  );
  assert.deepEqual(shared, []);
});
