import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type BuildTrace,
  createBuildLog,
  createTraceDecoder,
} from '../../../../controller/engine/docker/build-log.ts';
import type { StepNews } from '../../../../schemas/build-step.ts';

type Vertex = BuildTrace['vertexes'][number];

function vertex(digest: string, more: Partial<Vertex> = {}): Vertex {
  return { digest, name: `step ${digest}`, cached: false, started: 0, completed: 0, error: '', ...more };
}

function written(...traces: Partial<BuildTrace>[]): { text: string; tail: string } {
  let text = '';
  const log = createBuildLog((piece) => {
    text += piece;
  });
  for (const trace of traces) log.take({ vertexes: [], logs: [], ...trace });
  log.flush();
  return { text, tail: log.failedTail() };
}

const said = (digest: string, text: string): BuildTrace['logs'][number] => ({
  vertex: digest,
  time: 0,
  text,
});

describe('createBuildLog', () => {
  it('numbers steps as they begin, and tells how long they took', () => {
    const { text } = written(
      { vertexes: [vertex('a'), vertex('b')] },
      { vertexes: [vertex('b', { started: 10 })] },
      { vertexes: [vertex('a', { started: 11 }), vertex('b', { started: 10, completed: 11.25 })] },
      { vertexes: [vertex('a', { started: 11, completed: 11 })] },
    );
    assert.equal(text, '#1 step b\n#2 step a\n#1 DONE 1.3s\n#2 DONE 0.0s\n');
  });

  it('says what was cached, and everything once', () => {
    const cached = vertex('a', { cached: true, started: 1, completed: 1 });
    assert.equal(written({ vertexes: [cached] }, { vertexes: [cached] }).text, '#1 step a\n#1 CACHED\n');
  });

  it('keeps steps that run side by side apart, line by line', () => {
    const { text } = written(
      { vertexes: [vertex('a', { started: 1 }), vertex('b', { started: 1 })] },
      { logs: [said('a', 'half '), said('b', 'whole\n'), said('a', 'done\nrest')] },
      { vertexes: [vertex('a', { started: 1, completed: 2 })] },
    );
    assert.equal(text, '#1 step a\n#2 step b\n#2 whole\n#1 half done\n#1 rest\n#1 DONE 1.0s\n');
  });

  it('shows of a redrawn line what stood there in the end', () => {
    const { text } = written(
      { vertexes: [vertex('a', { started: 1 })] },
      { logs: [said('a', '1%\r50%\r100%\r\nok\r\n')] },
    );
    assert.equal(text, '#1 step a\n#1 100%\n#1 ok\n');
  });

  it('hides in errors alone what is to be hidden, not in what a step is or prints', () => {
    let text = '';
    const log = createBuildLog(
      (piece) => (text += piece),
      (error) => error.replaceAll('test', '(secret)'),
    );
    const step = { name: 'RUN npm test', started: 1 };
    log.take({ vertexes: [vertex('a', step)], logs: [said('a', 'test 1 ok\n')] });
    log.take({ vertexes: [vertex('a', { ...step, completed: 2, error: 'denied: test' })], logs: [] });
    assert.equal(text, '#1 RUN npm test\n#1 test 1 ok\n#1 ERROR: denied: (secret)\n');
  });

  it('keeps the last lines of the step that failed', () => {
    const lines = Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join('');
    const { text, tail } = written(
      { vertexes: [vertex('a', { started: 1 }), vertex('b', { started: 1 })] },
      { logs: [said('a', lines), said('b', 'innocent\n')] },
      {
        vertexes: [
          vertex('b', { started: 1, completed: 2, error: 'context canceled' }),
          vertex('a', { started: 1, completed: 2, error: 'exit code: 3' }),
        ],
      },
    );
    assert.match(text, /#1 ERROR: exit code: 3\n/);
    assert.match(text, /#2 CANCELED\n/);
    assert.equal(tail.split('\n').length, 20);
    assert.match(tail, /^line 10\n/);
    assert.doesNotMatch(tail, /innocent/);
  });
});

describe('steps as data', () => {
  function toldOf(...traces: Partial<BuildTrace>[]): StepNews[] {
    const told: StepNews[] = [];
    const log = createBuildLog(
      () => {},
      (error) => error.replaceAll('hush', '(secret)'),
      (news) => told.push(news),
    );
    for (const trace of traces) log.take({ vertexes: [], logs: [], ...trace });
    log.flush();
    return told;
  }

  it('tell name, times, cache and output, under the numbers of the text', () => {
    const told = toldOf(
      { vertexes: [vertex('w'), vertex('a', { cached: true, started: 10, completed: 10.25 })] },
      { vertexes: [vertex('b', { started: 11 })], logs: [said('b', '1%\r100%\nhalf')] },
      { vertexes: [vertex('b', { started: 11, completed: 12 })] },
    );
    assert.deepEqual(told, [
      { kind: 'step', number: 1, name: 'step a', started: '1970-01-01T00:00:10.000Z' },
      { kind: 'end', number: 1, completed: '1970-01-01T00:00:10.250Z', cached: true, error: '' },
      { kind: 'step', number: 2, name: 'step b', started: '1970-01-01T00:00:11.000Z' },
      { kind: 'output', number: 2, text: '100%' },
      { kind: 'output', number: 2, text: 'half' },
      { kind: 'end', number: 2, completed: '1970-01-01T00:00:12.000Z', cached: false, error: '' },
    ]);
  });

  it('tell which one failed and which one was let go, with what is to be hidden hidden', () => {
    const end = { started: 1, completed: 2 };
    const told = toldOf({
      vertexes: [
        vertex('a', { ...end, error: 'exit code: 3 hush' }),
        vertex('b', { ...end, error: 'rpc: context canceled' }),
        // Cached ones that never ran have no times.
        vertex('c', { cached: true }),
      ],
    });
    assert.deepEqual(
      told.flatMap((news) => (news.kind === 'end' ? [[news.error, news.completed]] : [])),
      [
        ['', null],
        ['exit code: 3 (secret)', '1970-01-01T00:00:02.000Z'],
        ['canceled', '1970-01-01T00:00:02.000Z'],
      ],
    );
  });
});

describe('createTraceDecoder', () => {
  // Protobuf by hand: a field's number and kind, then its length or value.
  const bytes = (field: number, content: string | number[]): number[] => {
    const raw = [...Buffer.from(content as string)];
    return [(field << 3) | 2, raw.length, ...raw];
  };
  const int = (field: number, value: number): number[] => [field << 3, value];

  it('reads what BuildKit sends', () => {
    const step = [...bytes(1, 'd'), ...bytes(3, 'n'), ...int(4, 1), ...bytes(5, int(1, 5)), ...bytes(7, 'e')];
    const output = [...bytes(1, 'd'), ...bytes(2, int(1, 6)), ...int(3, 2), ...bytes(4, 'hi ü')];
    const message = Buffer.from([...bytes(1, step), ...bytes(3, output)]).toString('base64');
    assert.deepEqual(createTraceDecoder()(message), {
      vertexes: [vertex('d', { name: 'n', cached: true, started: 5, error: 'e' })],
      logs: [{ vertex: 'd', time: 6, text: 'hi ü' }],
    });
  });

  it('reads an empty message', () => {
    assert.deepEqual(createTraceDecoder()(''), { vertexes: [], logs: [] });
  });
});
