import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProgramLogOptions, ProgramView } from '../../../api/program-answers.ts';
import type { LogOptions } from '../../../controller/engine/engine.ts';
import { rememberRuns } from '../../../controller/serve/log-runs.ts';
import { createProgramLogs } from '../../../controller/serve/program-logs.ts';
import type { Container } from '../../../schemas/container.ts';
import { type LogPiece, nanosOfMs, timeOfNanos } from '../../../schemas/log-piece.ts';
import { timestamp } from '../../../schemas/program.ts';
import { emptyStatus, type ProgramStatus } from '../../../schemas/status.ts';

const never = new AbortController().signal;
const ALL: ProgramLogOptions = { tail: 'all', sinceNanos: 0n, follow: false, previous: false, signal: never };

/** A program and its containers; a line is `[ms, text]`. What an engine is asked for is what `calls` says. */
function stage() {
  const containers = new Map<string, { one: Container; lines: [number, string][] }>();
  const listeners = new Set<(name: string) => void>();
  const calls: (Pick<LogOptions, 'tail' | 'follow'> & { id: string; sinceMs: number })[] = [];
  let status: ProgramStatus = emptyStatus('app', 0);
  const view = { name: 'app', desiredState: 'Running', finished: false } as ProgramView;
  async function* lines(id: string, { sinceNanos, follow }: LogOptions): AsyncGenerator<LogPiece> {
    const found = containers.get(id);
    for (let at = 0; found !== undefined; await new Promise((resolve) => setImmediate(resolve))) {
      for (const [ms, text] of found.lines.slice(at)) {
        at += 1;
        if (nanosOfMs(ms) < sinceNanos) continue;
        yield { time: timeOfNanos(nanosOfMs(ms)), bytes: Buffer.from(text) };
      }
      if (!follow || found.one.state !== 'running') return;
    }
  }
  let note: (name: string) => void = () => {};
  const noting = (listener: (name: string) => void) => {
    note = listener;
    return () => {};
  };
  const statuses = {
    get: () => status,
    subscribe(listener: (name: string) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const logs = createProgramLogs({
    ended: rememberRuns({ ...statuses, subscribe: noting }, 500),
    engine: {
      inspectContainer: async (id) => containers.get(id)?.one,
      async logs(id, options) {
        const { tail, follow, sinceNanos } = options;
        calls.push({ id, tail, follow, sinceMs: Number(sinceNanos / 1_000_000n) });
        return lines(id, options);
      },
    },
    statuses,
    get: () => view,
    // Followers are woken by the status alone here.
    clock: { now: () => 5_000, monotonic: () => 0, after: () => () => {} },
  });
  return {
    calls,
    listeners,
    view,
    logs: (options: Partial<ProgramLogOptions>) => logs('app', { ...ALL, ...options }),
    /** Begins a run in this container, with these lines. */
    run(id: string, startedAtMs: number, ...more: [number, string][]) {
      const before = containers.get(id)?.lines ?? [];
      containers.set(id, {
        one: { id, startedAtMs, finishedAtMs: startedAtMs - 500, state: 'running' } as Container,
        lines: [...before, ...more],
      });
      this.set({ containerId: id });
    },
    end(id: string) {
      const found = containers.get(id);
      if (found !== undefined) found.one.state = 'exited';
    },
    madeAt(id: string, createdAtMs: number) {
      const found = containers.get(id);
      if (found !== undefined) found.one = { ...found.one, createdAtMs };
    },
    remove: (id: string) => containers.delete(id),
    set(more: Partial<ProgramStatus>) {
      status = { ...status, ...more };
      for (const listener of [note, ...listeners]) listener('app');
    },
  };
}

const exit = { exitCode: 3, oomKilled: false, signal: '', finishedAt: '', logTail: 'kept 1\nkept 2' };

async function textOf(stream: AsyncIterable<LogPiece>): Promise<string> {
  let text = '';
  for await (const { bytes } of stream) text += Buffer.from(bytes).toString();
  return text;
}

describe('a follower', () => {
  it('goes on over a crash and a new revision, with a line between, and ends when it is stopped', async () => {
    const app = stage();
    app.run('one', 1_000, [1_001, 'a\n'], [1_002, 'b without an end']);
    const { stream } = await app.logs({ follow: true, tail: 1 });
    const pieces = stream[Symbol.asyncIterator]();
    const next = async () => Buffer.from((await pieces.next()).value?.bytes ?? []).toString();
    assert.equal(await next(), 'a\n');
    assert.equal(await next(), 'b without an end');

    const more = next();
    app.end('one');
    app.set({ lastExit: { ...exit, run: 'one@1000' } });
    app.run('one', 2_000, [2_001, 'c\n']);
    assert.equal(
      await more,
      '\n--- that run has ended (exit code 3); the next one is since 1970-01-01T00:00:02.000Z in container one\n',
    );
    assert.equal(await next(), 'c\n');
    assert.deepEqual(app.calls, [
      { id: 'one', tail: 1, follow: true, sinceMs: 0 },
      { id: 'one', tail: 'all', follow: true, sinceMs: 1_002 },
    ]);

    const other = next();
    app.end('one');
    app.run('two', 3_000, [3_001, 'd\n']);
    assert.match(await other, /^--- that run has ended; .* in container two\n$/);
    assert.equal(await next(), 'd\n');
    const last = pieces.next();
    app.view.desiredState = 'Stopped';
    app.end('two');
    assert.equal((await last).done, true);
    assert.equal(app.listeners.size, 0);
  });

  it('of a program without a container waits for one, and ends at once where none is to come', async () => {
    const app = stage();
    const { containerId, stream } = await app.logs({ follow: true });
    assert.equal(containerId, '');
    const first = stream[Symbol.asyncIterator]().next();
    app.run('one', 1_000, [1_001, 'a\n']);
    assert.equal(Buffer.from((await first).value?.bytes ?? []).toString(), 'a\n');

    const stopped = stage();
    stopped.view.desiredState = 'Stopped';
    assert.equal(await textOf((await stopped.logs({ follow: true })).stream), '');
  });

  it('that wants nothing of before gets nothing of before, after the next crash neither', async () => {
    const app = stage();
    app.run('one', 1_000, [1_001, 'a\n']);
    app.end('one');
    const { stream } = await app.logs({ follow: true, sinceNanos: nanosOfMs(4_000), tail: 0 });
    const between = stream[Symbol.asyncIterator]();
    const first = between.next();
    app.run('one', 6_000);
    await first;
    const last = between.next();
    app.view.finished = true;
    app.end('one');
    assert.equal((await last).done, true);
    assert.equal(app.calls.at(-1)?.sinceMs, 5_000, 'the time of the question');
  });

  it('lets go when its client does', async () => {
    const app = stage();
    const client = new AbortController();
    const { stream } = await app.logs({ follow: true, signal: client.signal });
    const first = stream[Symbol.asyncIterator]().next();
    client.abort();
    assert.equal((await first).done, true);
    assert.equal(app.listeners.size, 0);
  });
});

describe('previous=true', () => {
  it('gives the run before the one that is on, out of the same container', async () => {
    const app = stage();
    app.run('one', 1_000, [1_001, 'first\n']);
    app.run('one', 2_000, [1_990, 'a\n'], [2_002, 'long '], [2_002, 'line\n'], [2_003, 'c\n']);
    // With engine 20.10 a line may be older than the start that is told.
    app.run('one', 3_000, [2_990, 'now\n']);
    app.set({ lastExit: { ...exit, run: 'one@2000' } });
    const { containerId, stream } = await app.logs({ previous: true });
    assert.equal(containerId, 'one');
    assert.equal(await textOf(stream), 'a\nlong line\nc\n');
    assert.equal(await textOf((await app.logs({ previous: true, tail: 2 })).stream), 'long line\nc\n');
    assert.equal(await textOf((await app.logs({ previous: true, tail: 0 })).stream), '');
  });

  it('has its first lines however late the engine told of its start, where it knows the run before, or that there was none', async () => {
    const app = stage();
    const lines = async () => textOf((await app.logs({ previous: true })).stream);
    app.run('one', 3_000, [1_001, 'first\n']);
    app.end('one');
    app.set({ lastExit: { ...exit, run: 'one@3000', finishedAt: timestamp(4_000) } });
    assert.equal(await lines(), '', 'the container may be older than this host');
    app.madeAt('one', 500);
    assert.equal(await lines(), 'first\n');
    app.run('one', 8_000, [6_500, 'second\n'], [9_000, 'crash\n']);
    app.end('one');
    app.set({ lastExit: { ...exit, run: 'one@8000', finishedAt: timestamp(9_000) } });
    assert.equal(await lines(), 'second\ncrash\n');
  });

  it('gives the last one where none is on, as during a back-off', async () => {
    const app = stage();
    app.run('one', 1_000, [1_001, 'first\n']);
    app.run('one', 2_000, [2_001, 'crash\n']);
    app.end('one');
    app.set({ lastExit: { ...exit, run: 'one@2000' } });
    assert.equal(await textOf((await app.logs({ previous: true })).stream), 'crash\n');
  });

  it('gives the lines that were kept where its container is gone, and nothing where there was none', async () => {
    const app = stage();
    app.run('two', 3_000, [3_001, 'now\n']);
    app.set({ lastExit: { ...exit, run: 'one@1000' } });
    const { containerId, stream } = await app.logs({ previous: true });
    assert.deepEqual([containerId, await textOf(stream)], ['one', 'kept 1\nkept 2\n']);
    assert.equal(await textOf((await stage().logs({ previous: true })).stream), '');
  });
});
