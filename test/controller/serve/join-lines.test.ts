import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLineJoiner, LINE_BYTES_MAX } from '../../../controller/serve/join-lines.ts';
import type { LogPiece, LogStream } from '../../../schemas/log-piece.ts';

const T1 = '2026-11-22T10:00:00.000000001Z';
const T2 = '2026-11-22T10:00:00.000000002Z';
const T3 = '2026-11-22T10:00:00.000000003Z';

const piece = (time: string, text: string | Uint8Array, stream?: LogStream): LogPiece => ({
  ...{ time, stream },
  bytes: Buffer.from(text),
});

function joined(...pieces: LogPiece[]) {
  const joiner = createLineJoiner();
  const lines = pieces.flatMap((one) => joiner.take(one));
  return { lines, end: joiner.end(), frames: joiner.frames };
}

const texts = ({ lines }: ReturnType<typeof joined>) => lines.map(({ text }) => text);

describe('lines', () => {
  // As Docker 20.10.24 gives a line of 100,000 bytes, while the program prints on the other stream.
  it('are put together of parts, each stream for itself, and stand where their end is', () => {
    const { lines, frames } = joined(
      piece(T1, 'long ', 'stdout'),
      piece(T2, 'between\n', 'stderr'),
      piece(T1, 'line\n', 'stdout'),
    );
    assert.deepEqual(
      lines.map(({ stream, time, text }) => [stream, time, text]),
      [
        ['stderr', T2, 'between'],
        ['stdout', T1, 'long line'],
      ],
    );
    assert.equal(frames, 3);
  });

  it('do not care where the pieces of a frame end, nor that one is empty', () => {
    const euro = Buffer.from('€\n');
    const { lines, frames } = joined(
      piece(T1, 'a\n', 'stdout'),
      piece(T2, '', 'stdout'),
      piece('', euro.subarray(0, 1), 'stdout'),
      piece('', euro.subarray(1), 'stdout'),
      piece(T3, '\n', 'stdout'),
    );
    assert.deepEqual(
      lines.map(({ time, text }) => [time, text]),
      [
        [T1, 'a'],
        [T2, '€'],
        [T3, ''],
      ],
    );
    assert.equal(frames, 3);
  });

  it('of one time are counted for each stream', () => {
    const { lines } = joined(
      piece(T1, 'a\n', 'stdout'),
      piece(T1, 'b\n', 'stderr'),
      piece(T1, 'c\n', 'stdout'),
      piece(T2, 'd\n', 'stdout'),
    );
    assert.deepEqual(
      lines.map(({ text, index }) => `${text}${index}`),
      ['a0', 'b0', 'c1', 'd0'],
    );
    // What was read before the first may have had its time.
    assert.deepEqual(
      lines.map(({ isSure }) => isSure),
      [false, false, false, true],
    );
  });

  it('are sure where the other stream shows that nothing of their time was missed', () => {
    const sure = (...pieces: LogPiece[]) =>
      joined(...pieces).lines.map(({ text, isSure }) => `${text}${isSure ? '' : '?'}`);
    const [a, b, c] = [piece(T1, 'a\n', 'stdout'), piece(T2, 'b\n', 'stdout'), piece(T3, 'c\n', 'stderr')];
    assert.deepEqual(sure(a, b, c), ['a?', 'b', 'c']);
    // The first line of the other stream may have been stamped long before it was written down.
    assert.deepEqual(sure(a, c), ['a?', 'c?']);
    // Nor is it known of one with the same time, or an earlier one, as the rest of a long line has.
    assert.deepEqual(sure(a, b, piece(T2, 'd\n', 'stderr')), ['a?', 'b', 'd?']);
    assert.deepEqual(sure(a, b, piece(T1, 'e\n', 'stderr'), c), ['a?', 'b', 'e?', 'c']);
  });

  it('that never got their end are over with the next time of their stream, or with the run', () => {
    const cutOff = joined(
      piece(T1, 'half', 'stdout'),
      piece(T2, 'next\n', 'stdout'),
      piece(T3, 'open', 'stdout'),
    );
    assert.deepEqual(texts(cutOff), ['half', 'next']);
    assert.deepEqual(
      cutOff.end.map(({ text }) => text),
      ['open'],
    );
  });

  it('are cut behind 64 KiB, between characters, and tell how much is left off', () => {
    // One byte, then characters of three: the last one that would begin within the limit does not fit.
    const long = Buffer.from(`x${'€'.repeat(30_000)}`);
    const parts = [long.subarray(0, 16_384), long.subarray(16_384, 60_000), long.subarray(60_000)];
    const { lines } = joined(...parts.map((part) => piece(T1, part, 'stdout')), piece(T1, '\n', 'stdout'));
    const [line] = lines;
    const kept = Buffer.byteLength(line?.text ?? '');
    assert.ok(kept <= LINE_BYTES_MAX && kept > LINE_BYTES_MAX - 3, `${kept}`);
    assert.equal(line?.cutBytes, long.length - kept);
    assert.doesNotMatch(line?.text ?? '', /\ufffd/);
    assert.equal(joined(piece(T1, `${'y'.repeat(LINE_BYTES_MAX)}\n`)).lines[0]?.cutBytes, 0);
  });

  it('show what is no UTF-8 as U+FFFD, and keep what else a terminal would hide', () => {
    const { lines } = joined(piece(T1, Uint8Array.of(0xff, 0x61, 0x0d, 0x1b, 0x00, 0x0a), 'stdout'));
    assert.equal(lines[0]?.text, '\ufffda\r\u001b\u0000');
  });

  it('have the time of another zone, or of other decimals, in one form', () => {
    assert.equal(
      joined(piece('2026-11-22T11:00:00.5+01:00', 'a\n')).lines[0]?.time,
      '2026-11-22T10:00:00.500000000Z',
    );
  });
});
