import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createMetrics } from '../../controller/metrics.ts';
import type { StatusStore } from '../../registry/records/status-store.ts';
import { PROGRAM_STATES } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { emptyStatus } from '../../schemas/status.ts';

function statuses(...list: Partial<ProgramStatus>[]): StatusStore {
  const all = new Map(list.map((one, index) => [`p${index}`, { ...emptyStatus(`p${index}`, 0), ...one }]));
  const store: Pick<StatusStore, 'names' | 'get'> = {
    names: () => [...all.keys()],
    get: (name) => all.get(name),
  };
  return store as StatusStore;
}

/** Reads Prometheus text: every line is a comment or `name{labels} value`. */
function parse(body: string): Map<string, number> {
  const values = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of body.split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) \S/.exec(line);
    if (comment?.[1] === 'TYPE') typed.add(comment[2] ?? '');
    if (line === '' || comment !== null) continue;
    const match = /^([a-z_]+)(\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? (\d+(?:\.\d+)?(?:e-\d+)?|\+Inf)$/.exec(
      line,
    );
    assert.ok(match, `not Prometheus text: ${line}`);
    assert.equal(typed.has((match[1] ?? '').replace(/_(bucket|sum|count)$/, '')), true, line);
    values.set(`${match[1]}${match[2] ?? ''}`, Number(match[3]));
  }
  return values;
}

describe('the metrics', () => {
  it('are Prometheus text, also before anything happened', async () => {
    const { contentType, body } = await createMetrics().text();
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    const values = parse(body);
    for (const state of PROGRAM_STATES) assert.equal(values.get(`hersh_programs{state="${state}"}`), 0);
  });

  it('count programs by state, restarts, passes and what waits; and follow when these change', async () => {
    const metrics = createMetrics();
    let store = statuses({ state: 'Ready', restartCount: 2 }, { state: 'Ready' }, { state: 'Error' });
    let queueDepth = 7;
    metrics.watch({ queueDepth: () => queueDepth, statuses: () => store, isObserved: () => true });
    metrics.reconciled('ok', 3);
    metrics.reconciled('ok', 30);
    metrics.reconciled('error', 30_000);
    const before = parse((await metrics.text()).body);
    assert.equal(before.get('hersh_programs{state="Ready"}'), 2);
    assert.equal(before.get('hersh_programs{state="Error"}'), 1);
    assert.equal(before.get('hersh_program_restarts_total{program="p0"}'), 2);
    assert.equal(before.get('hersh_queue_depth'), 7);
    assert.equal(before.get('hersh_reconcile_seconds_count{outcome="ok"}'), 2);
    assert.equal(before.get('hersh_reconcile_seconds_sum{outcome="error"}'), 30);
    assert.equal(before.get('hersh_reconcile_seconds_bucket{le="0.005",outcome="ok"}'), 1);
    store = statuses({ state: 'Stopped', restartCount: 3 });
    queueDepth = 0;
    const after = parse((await metrics.text()).body);
    assert.equal(after.get('hersh_programs{state="Ready"}'), 0);
    assert.equal(after.get('hersh_programs{state="Stopped"}'), 1);
    assert.equal(after.get('hersh_program_restarts_total{program="p0"}'), 3);
    assert.equal(
      after.has('hersh_program_restarts_total{program="p1"}'),
      false,
      'a deleted program is not shown',
    );
    assert.equal(after.get('hersh_queue_depth'), 0);
  });
});

describe('the log', () => {
  it('is a line of JSON each where nobody sits at a terminal, from its level on', async () => {
    const script = `
      import { createLog } from '${new URL('../../controller/log.ts', import.meta.url)}';
      const { log } = createLog('warn');
      log.info({}, 'not this');
      log.warn({ program: 'app' }, 'this');
      log.error({ err: new Error('bad') }, 'and this');
    `;
    const argv = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, argv);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        [40, 'this'],
        [50, 'and this'],
      ],
    );
    assert.equal(lines[0]?.program, 'app');
    assert.match(JSON.stringify(lines[1]?.err), /"message":"bad"/);
  });
});
