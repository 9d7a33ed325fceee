import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics } from '../../controller/metrics.ts';
import type { ProgramMemory } from '../../schemas/memory.ts';
import { PROGRAM_STATES } from '../../schemas/program.ts';
import { allFigures, statuses, wanted } from './metrics/all-figures.ts';
import { parseExposition, problemsOf, valuesOf } from './metrics/exposition.ts';

/** The newest value of each series. */
async function scrape(metrics: { text(): Promise<{ body: string }> }): Promise<Map<string, number>> {
  return valuesOf((await metrics.text()).body);
}

describe('the metrics', () => {
  it('are Prometheus text, also before anything happened', async () => {
    const { contentType, body } = await createMetrics().text();
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    const values = valuesOf(body);
    for (const state of PROGRAM_STATES) assert.equal(values.get(`hersh_programs{state="${state}"}`), 0);
    for (const outcome of ['succeeded', 'failed', 'canceled', 'superseded'])
      assert.equal(values.get(`hersh_build_seconds_count{outcome="${outcome}"}`), 0);
    assert.equal(values.get('hersh_reconcile_errors_total{reason="InternalError"}'), 0);
    assert.equal(values.get('hersh_proxy_requests_total{code="200"}'), 0);
    assert.equal(values.has('hersh_registry_free_bytes'), false, 'what is unknown is no full disk');
  });

  it('keep to the conventions of names and types', async () => {
    const families = parseExposition((await allFigures().text()).body);
    assert.ok(families.size > 30, `${families.size} figures`);
    for (const family of families.values()) {
      assert.deepEqual(problemsOf(family), [], family.name);
      assert.ok(family.samples.size > 0, `${family.name} has no series`);
    }
  });

  it('count programs by state, restarts, passes and what waits; and follow when these change', async () => {
    const metrics = createMetrics();
    let store = statuses({ state: 'Ready', restartCount: 2 }, { state: 'Ready' }, { state: 'Error' });
    const queue = { depth: 7, oldestMs: 1_500, longestMs: 250 };
    metrics.programs.watch({ statuses: () => store, isObserved: () => true });
    metrics.loop.watch({ queue, slots: { counts: () => ({ running: 4, waiting: 9 }) } });
    metrics.loop.reconciled('ok', 3);
    metrics.loop.reconciled('ok', 30);
    metrics.loop.reconciled('error', 30_000);
    metrics.loop.failed('DiskFull');
    const before = await scrape(metrics);
    assert.equal(before.get('hersh_programs{state="Ready"}'), 2);
    assert.equal(before.get('hersh_programs{state="Error"}'), 1);
    assert.equal(before.get('hersh_program_ready{program="p1"}'), 1);
    assert.equal(before.get('hersh_program_ready{program="p2"}'), 0);
    assert.equal(before.get('hersh_program_restarts_total{program="p0"}'), 2);
    assert.equal(before.get('hersh_queue_depth'), 7);
    assert.equal(before.get('hersh_queue_oldest_wait_seconds'), 1.5);
    assert.equal(before.get('hersh_reconcile_longest_running_seconds'), 0.25);
    assert.equal(before.get('hersh_operations_waiting'), 9);
    assert.equal(before.get('hersh_reconcile_seconds_count{outcome="ok"}'), 2);
    assert.equal(before.get('hersh_reconcile_seconds_sum{outcome="error"}'), 30);
    assert.equal(before.get('hersh_reconcile_seconds_bucket{le="0.005",outcome="ok"}'), 1);
    assert.equal(before.get('hersh_reconcile_errors_total{reason="DiskFull"}'), 1);
    store = statuses({ state: 'Stopped', restartCount: 3 });
    queue.depth = 0;
    const after = await scrape(metrics);
    assert.equal(after.get('hersh_programs{state="Ready"}'), 0);
    assert.equal(after.get('hersh_programs{state="Stopped"}'), 1);
    assert.equal(after.get('hersh_program_restarts_total{program="p0"}'), 3);
    assert.equal(after.get('hersh_queue_depth'), 0);
  });

  it('call nothing Ready that this host has not looked at', async () => {
    const metrics = createMetrics();
    metrics.programs.watch({ statuses: () => statuses({ state: 'Ready' }), isObserved: () => false });
    const values = await scrape(metrics);
    assert.equal(values.get('hersh_programs{state="Running"}'), 1);
    assert.equal(values.get('hersh_program_ready{program="p0"}'), 0);
  });

  it('tell a program that is wanted from one that is stopped, at rest or unknown', async () => {
    const metrics = createMetrics();
    const running = wanted({}, { name: 'running' });
    const rest = wanted({ restartPolicy: 'Never' }, { name: 'rest' });
    const store = statuses(
      running,
      wanted({ desiredState: 'Stopped' }, { name: 'stopped' }),
      { ...rest, memory: withRest(rest.memory) },
      { name: 'unknown' },
    );
    metrics.programs.watch({ statuses: () => store, isObserved: () => true });
    const values = await scrape(metrics);
    const seen = ['running', 'stopped', 'rest', 'unknown'].map((name) =>
      values.get(`hersh_program_wanted{program="${name}"}`),
    );
    assert.deepEqual(seen, [1, 0, 0, 0]);
  });

  it('let the series of a program go with it, and those of a reason with the reason', async () => {
    const metrics = allFigures();
    assert.ok([...(await scrape(metrics)).keys()].some((series) => series.includes('program="app"')));
    metrics.programs.watch({ statuses: () => statuses({ name: 'other' }), isObserved: () => true });
    metrics.programs.watchUsage(() => []);
    metrics.programs.forget('app');
    const left = [...(await scrape(metrics)).keys()].filter((series) => series.includes('program="'));
    assert.ok(left.length > 0);
    for (const series of left) assert.match(series, /program="other"/);
    assert.equal(
      left.some((series) => series.startsWith('hersh_program_reason')),
      false,
    );
  });

  it('give answers that no standard knows one label, however many a program makes up', async () => {
    const metrics = createMetrics();
    for (const code of [200, 404, 0, 599, 299, 742]) metrics.proxied(code);
    const values = await scrape(metrics);
    const seen = [...values].filter(([series]) => series.startsWith('hersh_proxy_requests_total'));
    assert.deepEqual(seen.map(([series, count]) => `${/"(.*)"/.exec(series)?.[1]}:${count}`).sort(), [
      ...['200:1', '404:1', 'none:1', 'other:3'],
    ]);
  });
});

function withRest(memory: ProgramMemory): ProgramMemory {
  return { ...memory, program: { ...memory.program, rest: { why: 'asked' as const } } };
}
