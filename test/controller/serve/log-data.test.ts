import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogPageRequest, ProgramView } from '../../../api/program-answers.ts';
import { createFollowLines } from '../../../controller/serve/follow-lines.ts';
import { createLogPage, type LogDataDeps } from '../../../controller/serve/log-data.ts';
import { rememberRuns } from '../../../controller/serve/log-runs.ts';
import type { LastExit } from '../../../schemas/last-exit.ts';
import { type LogCursor, type LogMessage, parseCursor } from '../../../schemas/log-line.ts';
import { timestamp } from '../../../schemas/program.ts';
import { emptyStatus, type ProgramStatus } from '../../../schemas/status.ts';
import { createFrameEngine, type Frame } from './frame-engine.ts';

const S = 1_000_000_000;
const seconds = (count: number): bigint => BigInt(Math.round(count * S));
const never = new AbortController().signal;

const exit = (run: string, finishedAtMs: number): LastExit => ({
  ...{ run, exitCode: 3, oomKilled: false, signal: '', logTail: 'kept 1\nkept 2' },
  finishedAt: timestamp(finishedAtMs),
});

/** A program over an engine of frames. */
function stage() {
  const made = createFrameEngine();
  const listeners = new Set<(name: string) => void>();
  let status: ProgramStatus = emptyStatus('app', 0);
  const view = { name: 'app', desiredState: 'Running', finished: false } as ProgramView;
  const statuses: LogDataDeps['statuses'] = {
    get: () => status,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const ended = rememberRuns(statuses, 0);
  // Followers are woken by the status alone here.
  const clock = { now: () => 5_000, monotonic: () => 0, after: () => () => {} };
  const deps: LogDataDeps = { engine: made.engine, statuses, get: () => view, clock, ended };
  const requestOf = (more: Partial<LogPageRequest>) => ({ tail: 10, sinceNanos: 0n, signal: never, ...more });
  const app = {
    ...{ made, view },
    page: (more: Partial<LogPageRequest> = {}) => createLogPage(deps)('app', requestOf(more)),
    async follow(more: Partial<LogPageRequest> = {}) {
      const stream = await createFollowLines(deps)('app', requestOf(more));
      return reader(stream);
    },
    set(more: Partial<ProgramStatus>) {
      status = { ...status, ...more };
      for (const listener of listeners) listener('app');
    },
    run(id: string, startedAtMs: number, ...frames: Frame[]) {
      made.run(id, startedAtMs);
      made.print(id, ...frames);
      app.set({ containerId: id });
    },
    end(id: string, finishedAtMs: number) {
      made.end(id, finishedAtMs, 3);
      app.set({});
    },
  };
  return app;
}

/** Messages in words, and the cursor behind the last line. */
function reader(stream: AsyncIterable<LogMessage>) {
  const iterator = stream[Symbol.asyncIterator]();
  let last: LogCursor | undefined;
  const next = async (): Promise<string> => {
    const { done, value } = await iterator.next();
    if (done === true) return 'over';
    if (value.event === 'line') last = parseCursor(value.data.id);
    if (value.event === 'line') return `${value.data.run}: ${value.data.text}`;
    if (value.event !== 'run') return value.event;
    return `run ${value.data.id} ${value.data.exit || 'is on'}`;
  };
  return {
    next,
    async some(count: number) {
      const told: string[] = [];
      while (told.length < count) told.push(await next());
      return told;
    },
    close: () => iterator.return?.(),
    get last() {
      return last;
    },
  };
}

const cursorOf = (text: string | null) => parseCursor(text ?? '');
const textsOf = ({ lines }: { lines: { text: string }[] }) => lines.map(({ text }) => text);

describe('a page', () => {
  it('tells time, stream and run of each line, the runs, and where pages before and after it are', async () => {
    const app = stage();
    app.run('c1', 1_000, { nanos: 1.1 * S, text: 'a\n' });
    app.end('c1', 2_000);
    app.set({ lastExit: exit('c1@1000', 2_000) });
    app.run('c1', 5_000, { nanos: 5.1 * S, text: 'b\n', stream: 'stderr' }, { nanos: 5.2 * S, text: 'c\n' });
    const page = await app.page({ tail: 2 });
    assert.deepEqual(page.lines[0], {
      id: 'c1.5100000000.e.0',
      time: '1970-01-01T00:00:05.100000000Z',
      ...{ stream: 'stderr', run: 'c1@5000', text: 'b', cut_bytes: 0 },
    });
    assert.deepEqual(
      [page.more, page.before, page.after, page.note],
      [true, 'c1.5100000000.e.0', 'c1.5200000000.o.0', ''],
    );
    assert.deepEqual(
      page.runs.map(({ id, exit_code }) => [id, exit_code]),
      [
        ['c1@1000', 3],
        ['c1@5000', null],
      ],
    );
    const older = await app.page({ before: cursorOf(page.before) });
    assert.deepEqual(
      older.lines.map(({ text, run }) => [text, run]),
      [['a', 'c1@1000']],
    );
    assert.deepEqual([older.more, older.before, older.after], [false, null, 'c1.1100000000.o.0']);
    assert.match(older.note, /nothing older is there of container c1/);
    const newer = await app.page({ after: cursorOf(older.after) });
    assert.deepEqual([textsOf(newer), newer.gap, newer.more], [['b', 'c'], false, false]);
  });

  it('of nothing says so, and gives where to go on without a loss', async () => {
    const app = stage();
    const none = await app.page();
    assert.deepEqual([none.lines, none.after, none.containerId], [[], 'none', '']);
    assert.match(none.note, /has no container/);
    app.run('c1', 1_000);
    const empty = await app.page({ after: cursorOf(none.after) });
    assert.deepEqual([empty.after, empty.gap], ['none', false]);
    const quiet = await app.page();
    assert.equal(quiet.after, 'c1');
    app.made.print('c1', { nanos: 1.1 * S, text: 'a\n' });
    for (const after of [none.after, quiet.after])
      assert.deepEqual(textsOf(await app.page({ after: cursorOf(after) })), ['a']);
    const nothing = await app.page({ tail: 0 });
    assert.deepEqual([nothing.lines, nothing.after], [[], 'c1.1100000000.o.0']);
  });

  it('of a container that was replaced: its kept lines, what is gone, and no line of another by a guess', async () => {
    const app = stage();
    app.set({ lastExit: exit('c1@1000', 2_000) });
    app.run('c2', 5_000, { nanos: 5.1 * S, text: 'b\n' });
    const old = 'c1.1100000000.o.0';
    const page = await app.page();
    assert.deepEqual(
      page.runs.map(({ id, kept }) => [id, kept]),
      [
        ['c1@1000', 'kept 1\nkept 2'],
        ['c2@5000', null],
      ],
    );
    const before = await app.page({ before: cursorOf(old) });
    assert.deepEqual([before.lines, before.more, before.after], [[], false, null]);
    assert.match(before.note, /container c1 is none of the program's, or not any more/);
    const after = await app.page({ after: cursorOf(old) });
    assert.deepEqual([textsOf(after), after.gap], [['b'], true]);
    // A cursor is no way to another program's container.
    assert.deepEqual((await app.page({ before: cursorOf('c9.1.o.0') })).lines, []);
    assert.ok(app.made.reads.every((read) => read === '1000'));
  });

  it('behind or before a line that the engine has thrown away says so', async () => {
    const app = stage();
    app.run('c1', 1_000, { nanos: 1.1 * S, text: 'a\n' }, { nanos: 1.2 * S, text: 'b\n' });
    const gone = cursorOf('c1.1000000000.o.0');
    const after = await app.page({ after: gone });
    assert.deepEqual([textsOf(after), after.gap], [['a', 'b'], true]);
    const before = await app.page({ before: gone });
    assert.deepEqual([before.lines, before.more], [[], false]);
    assert.match(before.note, /thrown away/);
  });

  it('from a time on has what was printed since, and goes on where nothing was', async () => {
    const app = stage();
    app.run('c1', 1_000, { nanos: 1.1 * S, text: 'a\n' }, { nanos: 1.2 * S, text: 'b\n' });
    const some = await app.page({ sinceNanos: seconds(1.2) });
    assert.deepEqual([textsOf(some), some.more], [['b'], false]);
    const none = await app.page({ sinceNanos: seconds(2) });
    assert.deepEqual([none.lines, none.after], [[], 'c1.1200000000.o.0']);
  });
});

describe('a follower', () => {
  it('goes on over a crash and another container, each line once, and ends with the program', async () => {
    const app = stage();
    app.run('c1', 1_000, { nanos: 1.1 * S, text: 'a\n' }, { nanos: 1.2 * S, text: 'b\n' });
    const follower = await app.follow({ tail: 1 });
    assert.deepEqual(await follower.some(2), ['run c1@1000 is on', 'c1@1000: b']);
    const crash = follower.some(2);
    app.made.print('c1', { nanos: 1.3 * S, text: 'no end' });
    app.end('c1', 2_000);
    assert.deepEqual(await crash, ['c1@1000: no end', 'run c1@1000 exit code 3']);
    const again = follower.some(2);
    app.run('c1', 5_000, { nanos: 5.1 * S, text: 'c\n' });
    assert.deepEqual(await again, ['run c1@5000 is on', 'c1@5000: c']);
    const other = follower.some(3);
    app.end('c1', 6_000);
    app.set({ lastExit: exit('c1@5000', 6_000) });
    app.run('c2', 9_000, { nanos: 9.1 * S, text: 'd\n' });
    assert.equal((await other).at(-1), 'c2@9000: d');
    const last = follower.some(3);
    app.view.desiredState = 'Stopped';
    app.end('c2', 10_000);
    assert.deepEqual((await last).slice(-2), ['end', 'over']);
    assert.equal(app.made.followers, 0);
  });

  it('gives no line twice of a container that was stopped for another and comes back', async () => {
    const app = stage();
    app.run('c1', 1_000, { nanos: 1.1 * S, text: 'a\n' });
    const follower = await app.follow();
    assert.deepEqual((await follower.some(2)).at(-1), 'c1@1000: a');
    for (const [other, ms, text] of [
      ['c2', 3_000, 'b'],
      ['c1', 5_000, 'c'],
      ['c2', 7_000, 'd'],
    ] as const) {
      app.end(other === 'c1' ? 'c2' : 'c1', ms - 1_000);
      app.run(other, ms, { nanos: ms * 1_000_000 + 1, text: `${text}\n` });
      const told: string[] = [];
      while (!told.at(-1)?.startsWith(`${other}@`)) told.push(await follower.next());
      const lines = told.filter((one) => /: [a-d]$/.test(one));
      assert.deepEqual(lines, [`${other}@${ms}: ${text}`]);
      assert.ok(!told.includes('gap'));
    }
    await follower.close();
  });

  it('that comes back goes on behind its last line, though the run is another by then', async () => {
    const app = stage();
    app.run('c1', 1_000, { nanos: 1.1 * S, text: 'a\n' }, { nanos: 1.1 * S, text: 'b\n' });
    const first = await app.follow();
    await first.some(2);
    const after = first.last;
    assert.deepEqual(after, cursorOf('c1.1100000000.o.0'));
    await first.close();
    app.end('c1', 2_000);
    app.set({ lastExit: exit('c1@1000', 2_000) });
    app.run('c1', 5_000, { nanos: 5.1 * S, text: 'c\n' });
    const second = await app.follow({ after });
    const told = await second.some(4);
    assert.deepEqual(
      told.filter((one) => !one.startsWith('run ')),
      ['c1@1000: b', 'c1@5000: c'],
    );
    await second.close();
  });

  it('that comes back to another container is told that lines may be missing, and given all of that', async () => {
    const app = stage();
    app.run('c2', 5_000, { nanos: 5.1 * S, text: 'b\n' });
    const follower = await app.follow({ after: cursorOf('c1.1100000000.o.0') });
    assert.deepEqual(await follower.some(3), ['run c2@5000 is on', 'gap', 'c2@5000: b']);
    await follower.close();
  });

  it('of a program without a container waits for one', async () => {
    const app = stage();
    const follower = await app.follow();
    const first = follower.some(2);
    app.run('c1', 1_000, { nanos: 1.1 * S, text: 'a\n' });
    assert.deepEqual(await first, ['run c1@1000 is on', 'c1@1000: a']);
    await follower.close();
  });

  it('lets go when its client does', async () => {
    const app = stage();
    app.run('c1', 1_000, { nanos: 1.1 * S, text: 'a\n' });
    const client = new AbortController();
    const follower = await app.follow({ signal: client.signal });
    await follower.some(2);
    const next = follower.next();
    client.abort();
    assert.equal(await next, 'over');
    assert.equal(app.made.followers, 0);
  });
});
