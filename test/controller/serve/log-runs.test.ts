import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRunAt, rememberRuns, runsOf } from '../../../controller/serve/log-runs.ts';
import type { Container } from '../../../schemas/container.ts';
import type { LastExit } from '../../../schemas/last-exit.ts';
import { nanosOfMs, timeOfNanos } from '../../../schemas/log-piece.ts';
import { LABELS, timestamp } from '../../../schemas/program.ts';
import { emptyStatus, type ProgramStatus } from '../../../schemas/status.ts';

const exit = (run: string, finishedAtMs: number, exitCode = 3): LastExit => ({
  ...{ run, exitCode, oomKilled: false, signal: '', logTail: 'last words' },
  finishedAt: timestamp(finishedAtMs),
});

const container = (startedAtMs: number, more: Partial<Container> = {}): Container =>
  ({
    id: 'c1',
    labels: { [LABELS.revision]: '4' },
    startedAtMs,
    finishedAtMs: 0,
    state: 'running',
    ...more,
  }) as Container;

/** Statuses of one program. */
function stage() {
  let status: ProgramStatus | undefined = emptyStatus('app', 0);
  let listener: (name: string) => void = () => {};
  const ended = rememberRuns(
    {
      get: () => status,
      subscribe(one) {
        listener = one;
        return () => {};
      },
    },
    0,
  );
  return {
    ended,
    set(lastExit: LastExit | undefined) {
      status = lastExit === undefined ? undefined : { ...emptyStatus('app', 0), lastExit };
      listener('app');
    },
  };
}

describe('runs', () => {
  it('are those that ended while the host looked, and the one the engine knows', () => {
    const { ended, set } = stage();
    set(exit('c1@1000', 2_000));
    set(exit('c1@3000', 4_000, 0));
    const runs = runsOf(container(5_000), ended.of('app'), exit('c1@3000', 4_000, 0));
    assert.deepEqual(
      runs.map((run) => [run.id, run.revision, run.finished, run.exit_code, run.exit, run.kept]),
      [
        ['c1@1000', 4, timestamp(2_000), 3, 'exit code 3', null],
        ['c1@3000', 4, timestamp(4_000), 0, 'exit code 0', null],
        ['c1@5000', 4, null, null, '', null],
      ],
    );
  });

  it('of a container that is gone tell what was kept, and no revision', () => {
    const runs = runsOf(container(5_000, { id: 'c2' }), stage().ended.of('none'), null);
    assert.equal(runs.length, 1);
    const { ended, set } = stage();
    const last = exit('c1@1000', 2_000);
    set(last);
    const [old] = runsOf(container(5_000, { id: 'c2' }), ended.of('app'), last);
    assert.deepEqual([old?.container_id, old?.revision, old?.kept], ['c1', null, 'last words']);
  });

  it('that have just ended are told by the engine first', () => {
    const over = container(5_000, { state: 'exited', finishedAtMs: 6_000, exitCode: 9 });
    const [run] = runsOf(over, [], null);
    assert.deepEqual([run?.finished, run?.exit_code, run?.exit], [timestamp(6_000), 9, 'exit code 9']);
  });

  it('are forgotten with their program, and are 50 at most', () => {
    const { ended, set } = stage();
    for (let start = 1; start <= 60; start++) set(exit(`c1@${start}000`, start * 1000 + 1));
    assert.equal(ended.of('app').length, 50);
    set(undefined);
    assert.equal(ended.of('app').length, 0);
  });
});

describe('the run of a line', () => {
  const time = (ms: number) => timeOfNanos(nanosOfMs(ms));
  const { ended, set } = stage();
  set(exit('c1@10000', 20_000));
  const runAt = createRunAt(runsOf(container(60_000), ended.of('app'), null), 'c1');

  it('is the one it was printed in, a little before its start and after its end too', () => {
    assert.equal(runAt(time(9_850)), 'c1@10000');
    assert.equal(runAt(time(15_000)), 'c1@10000');
    assert.equal(runAt(time(20_900)), 'c1@10000');
    assert.equal(runAt(time(59_850)), 'c1@60000');
    assert.equal(runAt(time(99_000)), 'c1@60000');
  });

  it('is not guessed: before the first that is known, and between two that are not neighbours', () => {
    assert.equal(runAt(time(5_000)), null);
    assert.equal(runAt(time(40_000)), null);
    assert.equal(createRunAt([], 'c1')(time(5_000)), null);
  });

  it('begins half way from the end before where that is near', () => {
    const near = stage();
    near.set(exit('c1@10000', 20_000));
    const at = createRunAt(runsOf(container(20_100), near.ended.of('app'), null), 'c1');
    assert.equal(at(time(20_040)), 'c1@10000');
    assert.equal(at(time(20_060)), 'c1@20100');
  });
});
