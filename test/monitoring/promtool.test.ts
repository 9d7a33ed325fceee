import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { createMetrics } from '../../controller/metrics.ts';
import { allFigures } from '../controller/metrics/all-figures.ts';
import { ROOT } from '../setup/host-settings.ts';
import { ensurePromtool } from '../setup/promtool.ts';

/** Tried with promtool 2.42.0 (Debian 12). */
let path = '';
before(async () => {
  path = await ensurePromtool(() => {});
});

/** Its exit code and all it says. */
function promtool(args: readonly string[], input = '', cwd = join(ROOT, 'docs')): Promise<[number, string]> {
  return new Promise((resolve) => {
    const child = execFile(path, args, { cwd }, (error, stdout, stderr) =>
      resolve([error === null ? 0 : Number(error.code), stdout + stderr]),
    );
    child.stdin?.end(input);
  });
}

test('promtool finds nothing to say of the metrics, with every figure there is and at the start', async () => {
  for (const metrics of [allFigures(), createMetrics()]) {
    const { body } = await metrics.text();
    assert.ok(body.length > 1_000, 'of nothing it finds nothing');
    assert.deepEqual(await promtool(['check', 'metrics'], body), [0, '']);
  }
  const wrong = '# HELP hersh_wait_ms How long.\n# TYPE hersh_wait_ms counter\nhersh_wait_ms 1\n';
  const [code, said] = await promtool(['check', 'metrics'], wrong);
  assert.notEqual(code, 0);
  assert.match(said, /_total/);
});

test('the alert rules are rules, and each fires when it is to and not before', async () => {
  const [code, said] = await promtool(['check', 'rules', 'alerts.yaml']);
  assert.equal(code, 0, said);
  const [, count] = /SUCCESS: (\d+) rules/.exec(said) ?? [];
  // It succeeds without a word where no rules are found (findings/promtool-rules-that-match-nothing.sh).
  assert.ok(Number(count) >= 10, said);
  assert.deepEqual(await promtool(['test', 'rules', 'alerts.test.yaml']), [
    0,
    'Unit Testing:  alerts.test.yaml\n  SUCCESS\n\n',
  ]);
});

test('no rule can be left out without a test that fails', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-alerts-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await copyFile(join(ROOT, 'docs/alerts.test.yaml'), join(folder, 'alerts.test.yaml'));
  const rules = await readFile(join(ROOT, 'docs/alerts.yaml'), 'utf8');
  const names = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
  for (const name of names) {
    await writeFile(join(folder, 'alerts.yaml'), rules.replace(`alert: ${name}\n`, `alert: Other${name}\n`));
    const [code] = await promtool(['test', 'rules', 'alerts.test.yaml'], '', folder);
    assert.notEqual(code, 0, `${name} is tried by nothing`);
  }
});
