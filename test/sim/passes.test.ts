import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { masked } from '../../controller/trace/mask.ts';
import type { PassRecord } from '../../controller/trace/pass.ts';
import { recordOf } from '../controller/trace/pass-fixture.ts';
import type { PassFindings } from './check-passes.ts';
import { limitedNode } from './cpu-limit.ts';

/** Their stories hold builds, crashes and rollbacks. */
const SEEDS = [5, 28, 39];

const CHECK = fileURLToPath(new URL('./check-passes.ts', import.meta.url));
const REPLAY = fileURLToPath(new URL('../../controller/trace/replay.ts', import.meta.url));

interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

function run(file: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(...limitedNode('--import', 'tsx', file, ...args), {
      // Makes a story the same every time, see main.ts.
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}

/** What a replay of a file says. */
async function replay(test: TestContext, lines: readonly string[], ...args: string[]): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-passes-'));
  test.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'passes.ndjson');
  await writeFile(path, `${lines.join('\n')}\n`);
  return run(REPLAY, path, ...args);
}

const lineOf = (pass: PassRecord, rest: object = {}) => JSON.stringify({ ...rest, pass });

describe('the passes of simulated stories', () => {
  it('come to the same when they are thought again without a value of env', async () => {
    const { code, output, errors } = await run(CHECK, ...SEEDS.map(String));
    assert.equal(code, 0, errors);
    const { passes, seen, wrong, failures } = JSON.parse(output) as PassFindings;
    assert.deepEqual(failures, []);
    assert.deepEqual(wrong, []);
    assert.ok(passes > 100, `${passes} passes`);
    for (const [what, times] of Object.entries(seen)) assert.ok(times > 0, `none of them tells of ${what}`);
  });
});

describe('a replay', () => {
  const record = masked(recordOf(5_000));

  it('tells what was seen, learnt and decided, of a log with other lines in it', async (test) => {
    const lines = ['The host starts', lineOf(record, { level: 10 }), '{"level":30}', '{"pass":{"name":'];
    const { code, output } = await replay(test, lines);
    assert.equal(code, 0, output);
    assert.match(output, /^x at 2026-11-22T10:00:00\.000Z$/m);
    assert.match(output, /^ {2}wants run of a{12} on port 19005$/m);
    assert.match(output, /^ {2}sees c{12} hersh-program-x running, current, not ready: nothing listens$/m);
    assert.match(output, /^ {2}learnt rollout\.verdict: "new" → "bad"$/m);
    assert.match(output, /^ {2}does give up revision 2: not ready within 5 s: nothing listens$/m);
    assert.match(output, /^1 passes, 0 of them come to something else today$/m);
  });

  it('fails where today something else is decided, and says what', async (test) => {
    const { status } = record.decided;
    const other = { ...record, decided: { actions: ['start it'], status: { ...status, reason: 'Other' } } };
    const { code, output } = await replay(test, [lineOf(record), lineOf(other)]);
    assert.equal(code, 1, output);
    assert.match(output, /^ {2}DIFFERS actions\.0: "start it" → "give up revision 2: /m);
    assert.match(output, /^ {2}DIFFERS reason: "Other" → ""$/m);
    assert.match(output, /^2 passes, 1 of them come to something else today$/m);
  });

  it('fails where a fact is lacking, and says which', async (test) => {
    const facts = { ...record.facts, containers: [] };
    const { code, output } = await replay(test, [lineOf({ ...record, facts })]);
    assert.equal(code, 1, output);
    assert.match(output, /^ {2}FAILS .*the record lacks a fact: \{"kind":"image"/m);
  });

  it('has nothing to tell where no pass is written, or none of that program', async (test) => {
    const none = await replay(test, ['{"level":30}', 'nothing']);
    assert.deepEqual([none.code, none.output], [2, '']);
    assert.match(none.errors, /holds no pass/);
    const other = await replay(test, [lineOf(record)], 'y');
    assert.deepEqual([other.code, other.output], [2, '']);
    const unnamed = await run(REPLAY);
    assert.deepEqual([unnamed.code, unnamed.output], [2, '']);
    assert.match(unnamed.errors, /^npm run replay -- FILE/);
  });
});
