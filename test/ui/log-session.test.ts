import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, type LogPageBody, type LogWish } from '../../api/client.ts';
import type { LogItem } from '../../api/ui/screens/logs/log-rows.ts';
import { LINES_MAX, LogSession, type LogState } from '../../api/ui/screens/logs/log-session.ts';
import type { LogLine, LogMessage } from '../../schemas/log-line.ts';

const START = 1_795_341_600_000;
const idOf = (n: number) => `c.${BigInt(START + n * 1000) * 1_000_000n}.o.0`;
const lineOf = (n: number): LogLine => ({
  ...{ id: idOf(n), time: new Date(START + n * 1000).toISOString(), stream: 'stdout', run: null },
  ...{ text: `${n}`, cut_bytes: 0 },
});
const numberOf = (id: string) => Number((BigInt(id.split('.')[1] ?? 0) / 1_000_000n - BigInt(START)) / 1000n);

/** A host that has lines 0 to `count`, and what each follower is sent. */
function fakeHost(count: number, streams: (LogMessage | 'break' | 'stay')[][] = []) {
  const asked: LogWish[] = [];
  const followed: (string | undefined)[] = [];
  const page = (wish: LogWish): LogPageBody => {
    asked.push(wish);
    let all = Array.from({ length: count }, (_, n) => n);
    const { before, since } = wish;
    if (before !== undefined) all = all.slice(0, numberOf(before));
    if (since !== undefined) {
      const ms = since.length > 15 ? Number(BigInt(since) / 1_000_000n) : Number(since);
      all = all.filter((n) => START + n * 1000 >= ms);
    }
    const shown = all.slice(-(wish.tail === 'all' ? 10_000 : (wish.tail ?? 200)));
    const more = shown.length < all.length;
    return {
      ...{
        program_id: 'p',
        container_id: 'c',
        runs: [],
        more,
        gap: false,
        note: more ? '' : 'nothing older',
      },
      lines: shown.map(lineOf),
      before: more && shown[0] !== undefined ? idOf(shown[0]) : null,
      after: idOf(count - 1),
    };
  };
  return {
    asked,
    followed,
    client: {
      logs: async (_name: string, wish: LogWish = {}) => page(wish),
      async *followLogs(_name: string, after: string | undefined, signal: AbortSignal, onHeard = () => {}) {
        followed.push(after);
        for (const message of streams.shift() ?? ['stay' as const]) {
          onHeard();
          if (message === 'break') throw new ApiError(0, 'the host does not answer');
          if (message === 'stay')
            await new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason)),
            );
          else yield message;
        }
      },
    },
  };
}

/** Holds lines as the pane does, without a page. */
function fakeShown() {
  const shown = {
    ids: [] as string[],
    said: [] as string[],
    isFollowed: true,
    at: undefined as string | undefined,
    clear() {
      shown.ids = [];
      shown.isFollowed = true;
    },
    append(items: readonly LogItem[]) {
      if (!shown.isFollowed && shown.ids.length >= LINES_MAX) return -1;
      for (const item of items) 'gap' in item ? shown.said.push(item.gap) : shown.ids.push(item.id);
      const gone = shown.isFollowed ? Math.max(0, shown.ids.length - LINES_MAX) : 0;
      shown.ids.splice(0, gone);
      return gone;
    },
    prepend(lines: readonly LogLine[]) {
      shown.ids.unshift(...lines.map(({ id }) => id));
      return shown.ids.splice(LINES_MAX).length;
    },
    firstId: () => shown.ids[0],
    isFollowing: () => shown.isFollowed,
    show(id: string | undefined) {
      shown.at = id;
      shown.isFollowed = id === undefined;
    },
    numbers: () => [numberOf(shown.ids[0] ?? ''), numberOf(shown.ids.at(-1) ?? '')],
  };
  return shown;
}

function sessionOf(host: ReturnType<typeof fakeHost>) {
  const shown = fakeShown();
  const told = { state: undefined as LogState | undefined };
  const session = new LogSession({
    ...{ client: host.client, name: 'p', shown, soon: (work) => setImmediate(work) },
    onState: (state) => {
      told.state = state;
    },
    wait: () => new Promise((resolve) => setImmediate(resolve)),
    watch: () => ({ heard() {}, end() {} }),
  });
  const state = () => {
    assert.ok(told.state !== undefined);
    return told.state;
  };
  return { session, shown, state };
}

const turns = async (isDone: () => boolean) => {
  for (let n = 0; n < 200 && !isDone(); n++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(isDone());
};
const lines = (from: number, to: number): LogMessage[] =>
  Array.from({ length: to - from }, (_, n) => ({ event: 'line', data: lineOf(from + n) }));

test('a stream that breaks off goes on behind the last line; an end waits until it runs again', async () => {
  const host = fakeHost(10, [
    [...lines(10, 12), 'break'],
    [
      ...lines(12, 13),
      { event: 'gap', data: { message: 'gone' } },
      { event: 'end', data: { message: 'over' } },
    ],
    [...lines(13, 14), 'stay'],
  ]);
  const { session, shown, state } = sessionOf(host);
  await session.open({ at: 'end' });
  await turns(() => state().link === 'over');
  assert.deepEqual([shown.numbers(), shown.said, state().why], [[0, 12], ['gone'], 'over']);
  assert.equal(host.followed.length, 2);
  session.again();
  await turns(() => shown.ids.length === 14);
  assert.deepEqual(host.followed, [idOf(9), idOf(11), idOf(12)]);
  assert.equal(state().link, 'live');
  session.close();
});

test('who reads above is told how many lines came; what has no room is counted and not held', async () => {
  const host = fakeHost(10, [[...lines(10, 30), 'stay']]);
  const { session, shown, state } = sessionOf(host);
  await session.open({ at: 'end' });
  shown.isFollowed = false;
  await turns(() => state().unseen === 20);
  assert.deepEqual([shown.ids.length, state().hasEnd], [30, true]);
  shown.isFollowed = true;
  session.seen();
  assert.equal(state().unseen, 0);
  session.close();

  const full = fakeHost(20_000, [[...lines(20_000, 20_007), 'stay']]);
  const other = sessionOf(full);
  await other.session.open({ at: 'end' });
  while (other.shown.ids.length < LINES_MAX) await other.session.older();
  other.shown.isFollowed = false;
  await turns(() => other.state().unseen > 0 || other.state().letGo > 0);
  assert.equal(other.shown.ids.length, LINES_MAX);
  other.session.close();
});

test('older pages come before the first line; newer ones go for them, and that is known', async () => {
  const host = fakeHost(12_000);
  const { session, shown, state } = sessionOf(host);
  await session.open({ at: 'end' });
  for (let n = 0; n < 10; n++) await session.older();
  assert.deepEqual(shown.numbers(), [6_500, 11_499]);
  assert.deepEqual([state().hasEnd, state().letGo, state().hasOlder], [false, 500, true]);
  session.close();

  const few = sessionOf(fakeHost(600));
  await few.session.open({ at: 'end' });
  await few.session.older();
  await few.session.older();
  assert.deepEqual(
    [few.shown.numbers(), few.state().hasOlder, few.state().olderNote],
    [[0, 599], false, 'nothing older'],
  );
  few.session.close();
});

test('a log opens at a line, at a moment, or for a stretch', async () => {
  const host = fakeHost(30_000);
  const { session, shown, state } = sessionOf(host);
  await session.open({ at: 'line', id: idOf(5_000) });
  assert.deepEqual([shown.numbers(), numberOf(shown.at ?? '')], [[4_800, 9_799], 5_000]);
  assert.deepEqual([state().hasEnd, state().link, state().hasOlder], [false, 'none', true]);
  await session.open({ at: 'time', ms: START + 29_000_500 });
  assert.deepEqual([shown.numbers(), numberOf(shown.at ?? '')], [[28_801, 29_999], 29_001]);
  await turns(() => host.followed.length === 1);
  await session.open({ at: 'stretch', from: START + 100_000, to: START + 200_000 });
  assert.deepEqual([shown.numbers(), state().hasOlder, state().link], [[100, 200], false, 'none']);
  session.close();

  const gone = sessionOf(fakeHost(10));
  await gone.session.open({ at: 'line', id: idOf(-5) });
  assert.match(gone.state().note, /not there any more/);
  await gone.session.open({ at: 'line', id: 'nonsense' });
  assert.match(gone.state().note, /no line/);
  gone.session.close();
});

test('a log that can not be read says why, and is no stream', async () => {
  const host = fakeHost(1);
  host.client.logs = async () => Promise.reject(new ApiError(503, 'the engine is away'));
  const { session, state } = sessionOf(host);
  await session.open({ at: 'end' });
  assert.deepEqual([state().phase, state().note, host.followed.length], ['failed', 'the engine is away', 0]);
});
