import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLineJoiner, type WholeLine } from '../../../controller/serve/join-lines.ts';
import { followRange, readRange } from '../../../controller/serve/log-window.ts';
import type { LogStream } from '../../../schemas/log-piece.ts';
import { createRandom } from '../../sim/random.ts';
import { createFrameEngine, type Frame, pieceOf } from './frame-engine.ts';

const { signal } = new AbortController();
const RANGE = { lines: 10, sinceNanos: 0n, isOver: true, signal };

const keyOf = (line: WholeLine): string => `${line.stream} ${line.time} ${line.index} ${line.text}`;

/**
 * Two streams as an engine writes them down: a line is stamped when the one before it in its stream is written, and
 * written some time after that; several have one time, and of a long one all parts.
 */
function randomLog(seed: number, frames: number): Frame[] {
  const { below, chance, pick } = createRandom(seed);
  const log: Frame[] = [];
  let now = 1_000;
  const stamped: { [stream in LogStream]?: number } = {};
  while (log.length < frames) {
    const stream: LogStream = chance(stamped.stderr === undefined ? 0.01 : 0.3) ? 'stderr' : 'stdout';
    const isStamped = stamped[stream] !== undefined;
    if (!isStamped && chance(0.5)) now += pick([1, 1, 1_000]);
    const nanos = stamped[stream] ?? now;
    stamped[stream] = nanos;
    if (!isStamped && chance(0.2)) continue;
    const isPart = chance(0.1);
    log.push({ nanos, stream, text: `${below(100)}${isPart ? '' : '\n'}` });
    if (!isPart) delete stamped[stream];
  }
  return log;
}

function linesOf(frames: readonly Frame[]): string[] {
  const joiner = createLineJoiner();
  const lines = frames.flatMap((frame) => joiner.take(pieceOf(frame)));
  return [...lines, ...joiner.end()].map(keyOf);
}

function engineWith(frames: Frame[]): ReturnType<typeof createFrameEngine> {
  const made = createFrameEngine();
  made.run('c1', 0);
  made.print('c1', ...frames);
  return made;
}

describe('pages backwards', () => {
  it('give every line once, wherever windows begin, though many lines have one time', async () => {
    for (const seed of [1, 2, 3]) {
      const frames = randomLog(seed, 3_000);
      const { engine, reads } = engineWith(frames);
      const pages: string[][] = [];
      let before: WholeLine | undefined;
      for (let more = true; more; ) {
        const found = await readRange(engine, 'c1', { ...RANGE, lines: 170, ...(before && { before }) });
        assert.ok(before === undefined || found.hasBefore);
        pages.unshift(found.lines.map(keyOf));
        before = found.lines[0];
        more = found.isCut;
      }
      assert.deepEqual(pages.flat(), linesOf(frames), `seed ${seed}`);
      assert.equal(reads[0], '1000', 'what is new is read from the end');
    }
  });

  it('read a new page from the end alone, and all where only that tells', async () => {
    const frames = Array.from({ length: 20_000 }, (_, n) => ({ nanos: 1_000 + n, text: `${n}\n` }));
    const { engine, reads } = engineWith(frames);
    const newest = await readRange(engine, 'c1', RANGE);
    assert.deepEqual(
      [newest.lines.map(({ text }) => text).join(' '), newest.isCut],
      ['19990 19991 19992 19993 19994 19995 19996 19997 19998 19999', true],
    );
    assert.deepEqual(reads.splice(0), ['1000']);
    // Its time is that of all lines before it: which of them it is can not be told from a part.
    const same = engineWith(frames.map(({ text }) => ({ nanos: 5, text })));
    const last = (await readRange(same.engine, 'c1', { ...RANGE, lines: 1 })).lines[0];
    assert.deepEqual([last?.text, last?.index], ['19999', 19_999]);
    assert.deepEqual(same.reads, ['1000', '8000', '64000']);
  });

  it('read no more for lines of a stream that seldom has one', async () => {
    const frames: Frame[] = Array.from({ length: 20_000 }, (_, n) => ({ nanos: 1_000 + n, text: `${n}\n` }));
    frames.splice(19_995, 0, { nanos: 20_994, stream: 'stderr', text: 'once\n' });
    const { engine, reads } = engineWith(frames);
    const { lines } = await readRange(engine, 'c1', RANGE);
    assert.deepEqual([lines[4]?.text, reads], ['once', ['1000']]);
  });

  it('tell a line that is gone from one that has none before it', async () => {
    const { engine } = engineWith([
      { nanos: 5, text: 'a\n' },
      { nanos: 6, text: 'b\n' },
    ]);
    const stream = 'stdout' as const;
    const before = (nanos: number) => ({ time: pieceOf({ nanos, text: '' }).time, stream, index: 0 });
    const first = await readRange(engine, 'c1', { ...RANGE, before: before(5) });
    assert.deepEqual([first.lines, first.hasBefore, first.isCut], [[], true, false]);
    assert.equal((await readRange(engine, 'c1', { ...RANGE, before: before(4) })).hasBefore, false);
  });

  it('hold no more text than a page may have, and at least one line', async () => {
    const long = 'x'.repeat(60_000);
    const { engine } = engineWith(
      Array.from({ length: 200 }, (_, n) => ({ nanos: n + 1, text: `${long}\n` })),
    );
    const { lines, isCut } = await readRange(engine, 'c1', { ...RANGE, lines: 200 });
    assert.deepEqual([lines.length, isCut], [Math.floor(2 ** 22 / 60_000), true]);
  });

  it('leave a line that is still being printed to the next page', async () => {
    const { engine } = engineWith([
      { nanos: 5, text: 'a\n' },
      { nanos: 6, text: 'half ' },
    ]);
    const now = await readRange(engine, 'c1', { ...RANGE, isOver: false });
    assert.deepEqual(
      now.lines.map(({ text }) => text),
      ['a'],
    );
    const over = await readRange(engine, 'c1', RANGE);
    assert.deepEqual(
      over.lines.map(({ text }) => text),
      ['a', 'half '],
    );
  });
});

describe('going on behind a line', () => {
  const follow = async (made: ReturnType<typeof engineWith>, after: WholeLine | undefined) => {
    const given: string[] = [];
    const isOver = async () => true;
    for await (const line of followRange(made.engine, { id: 'c1', after, signal, isOver }))
      given.push(line === 'gap' ? line : keyOf(line));
    return given;
  };

  it('gives all that comes behind it and nothing else, whichever it is', async () => {
    const frames = randomLog(4, 1_500);
    const made = engineWith(frames);
    made.end('c1', 1, 0);
    const all = (await readRange(made.engine, 'c1', { ...RANGE, lines: 10_000 })).lines;
    for (let at = 0; at < all.length; at += 97)
      assert.deepEqual(await follow(made, all[at]), all.slice(at + 1).map(keyOf), `behind ${at}`);
    assert.deepEqual(await follow(made, undefined), all.map(keyOf));
  });

  it('gives a line that was half there when it was asked, whole', async () => {
    const made = engineWith([
      { nanos: 5, text: 'a\n' },
      { nanos: 6, text: 'half ' },
    ]);
    const after = (await readRange(made.engine, 'c1', { ...RANGE, isOver: false })).last;
    const lines = followRange(made.engine, { id: 'c1', after, signal, isOver: async () => true });
    const next = lines.next();
    made.print('c1', { nanos: 7, stream: 'stderr', text: 'between\n' });
    assert.equal(((await next).value as WholeLine).text, 'between');
    made.print('c1', { nanos: 6, text: 'whole\n' });
    assert.equal(((await lines.next()).value as WholeLine).text, 'half whole');
    await lines.return(undefined);
  });

  it('finds the place again where so much is printed meanwhile that it is out of sight', async () => {
    const made = engineWith([
      { nanos: 5, text: 'a\n' },
      { nanos: 6, text: 'b\n' },
    ]);
    const { logs } = made.engine;
    let floods = 1;
    made.engine.logs = async (id, options) => {
      if (options.follow && floods-- > 0) {
        const more = Array.from({ length: 30_000 }, (_, n) => ({ nanos: 10 + n, text: `${n}\n` }));
        made.print('c1', ...more);
      }
      return logs(id, options);
    };
    made.end('c1', 1, 0);
    const given = await follow(made, {
      ...(await readRange(made.engine, 'c1', { ...RANGE })).lines[0],
    } as WholeLine);
    assert.equal(given.length, 30_001);
    assert.equal(new Set(given).size, 30_001);
  });

  it('says so where that line is gone, and gives all that is left', async () => {
    const made = engineWith([
      { nanos: 5, text: 'a\n' },
      { nanos: 6, text: 'b\n' },
    ]);
    made.end('c1', 1, 0);
    const after = (await readRange(made.engine, 'c1', RANGE)).lines[0];
    made.containers.get('c1')?.frames.shift();
    const given = await follow(made, after);
    assert.deepEqual([given[0], given.length], ['gap', 2]);
  });
});
