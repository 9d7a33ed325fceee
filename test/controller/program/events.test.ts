import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventsBetween } from '../../../controller/program/events.ts';
import { follow } from '../../../controller/serve/as-stream.ts';
import type { ProgramStatus } from '../../../schemas/status.ts';
import { emptyStatus } from '../../../schemas/status.ts';

const status = (change: Partial<ProgramStatus>): ProgramStatus => ({ ...emptyStatus('x', 0), ...change });
const ready = status({ state: 'Ready', containerId: 'c1' });

const rows: { name: string; from: ProgramStatus; to: ProgramStatus; want: string[] }[] = [
  { name: 'nothing changed', from: ready, to: ready, want: [] },
  {
    name: 'another state',
    from: status({ state: 'Running', containerId: 'c1' }),
    to: ready,
    want: ['Normal Ready'],
  },
  {
    name: 'an error: its reason, not the word Error',
    from: status({ state: 'Building' }),
    to: status({ state: 'Error', reason: 'BuildFailed', errorMsg: 'no' }),
    want: ['Warning BuildFailed'],
  },
  {
    name: 'the same reason with other words',
    from: status({ state: 'Error', reason: 'CrashLoopBackOff', errorMsg: 'twice' }),
    to: status({ state: 'Error', reason: 'CrashLoopBackOff', errorMsg: 'thrice' }),
    want: ['Warning CrashLoopBackOff'],
  },
  {
    name: 'the same reason, once nothing serves any more',
    from: { ...ready, reason: 'BuildFailed', errorMsg: 'no' },
    to: status({ state: 'Error', reason: 'BuildFailed', errorMsg: 'no' }),
    want: ['Warning BuildFailed'],
  },
  {
    name: 'a reason that is over, in the same state',
    from: { ...ready, reason: 'BuildFailed', errorMsg: 'no' },
    to: ready,
    want: [],
  },
  {
    name: 'a build beside what serves',
    from: ready,
    to: { ...ready, reason: 'Building', errorMsg: 'b is being made' },
    want: ['Normal Building'],
  },
  {
    name: 'the end of a job',
    from: ready,
    to: { ...ready, state: 'Stopped', reason: 'Completed' },
    want: ['Normal Completed', 'Normal Stopped'],
  },
  {
    name: 'readiness lost in the same container',
    from: ready,
    to: { ...ready, state: 'Running' },
    want: ['Normal Running', 'Warning Unready'],
  },
  {
    name: 'another container that is not ready yet',
    from: ready,
    to: { ...ready, state: 'Running', containerId: 'c2' },
    want: ['Normal Running'],
  },
];

describe('events of a change of status', () => {
  for (const { name, from, to, want } of rows) {
    it(name, () => {
      assert.deepEqual(
        eventsBetween(from, to).map(({ type, reason }) => `${type} ${reason}`),
        want,
      );
    });
  }

  it('say what the probe said when readiness is lost', () => {
    const conditions: ProgramStatus['conditions'] = [
      {
        type: 'Ready',
        status: 'False',
        reason: 'ProbeFailed',
        message: 'answered 503',
        lastTransitionTime: '',
      },
    ];
    const [, lost] = eventsBetween(ready, { ...ready, state: 'Running', conditions });
    assert.equal(lost?.message, 'answered 503');
  });
});

describe('following', () => {
  /** A source by hand, and the reader of its stream. */
  function createSource(max?: number) {
    const abort = new AbortController();
    const source = { push: (_: number) => {}, end: () => {}, unsubscribed: 0 };
    const stream = follow<number>(
      (push, end) => {
        Object.assign(source, { push, end });
        return () => source.unsubscribed++;
      },
      abort.signal,
      max,
    );
    return { abort, source, stream };
  }
  const values = async (stream: AsyncIterable<number>) => {
    const seen: number[] = [];
    for await (const value of stream) seen.push(value);
    return seen;
  };

  it('gives what comes, in order, and what had come when the source ends', async () => {
    const { source, stream } = createSource();
    const first = stream.next();
    source.push(1);
    source.push(2);
    assert.deepEqual(await first, { done: false, value: 1 });
    source.push(3);
    source.end();
    assert.deepEqual(await values(stream), [2, 3]);
    assert.equal(source.unsubscribed, 1);
  });

  it('ends with the signal, while it waits and before it began', async () => {
    const waiting = createSource();
    const reading = values(waiting.stream);
    waiting.abort.abort();
    assert.deepEqual(await reading, []);
    assert.equal(waiting.source.unsubscribed, 1);
    const early = createSource();
    early.abort.abort();
    assert.deepEqual(await values(early.stream), []);
    assert.equal(early.source.unsubscribed, 1);
  });

  it('lets go of its source when the reader leaves', async () => {
    const { source, stream } = createSource();
    const first = stream.next();
    source.push(1);
    await first;
    await stream.return(undefined);
    assert.equal(source.unsubscribed, 1);
  });

  it('cuts off a reader that is too slow, after what it may still read', async () => {
    const { source, stream } = createSource(3);
    const first = stream.next();
    for (let n = 1; n <= 10; n++) source.push(n);
    assert.equal((await first).value, 1);
    const rest = await values(stream);
    assert.ok(rest.length < 10, `${rest.length} were kept`);
    assert.equal(source.unsubscribed, 1);
  });
});
