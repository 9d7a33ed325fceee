import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogWriter, type LogWriter } from '../../controller/log-writer.ts';

/** A descriptor that takes `room` bytes and then says `code`; waits run when the test says so. */
function stage(): { writer: LogWriter; out: { text: string; room: number; code: string }; wait: () => void } {
  const out = { text: '', room: 0, code: 'EAGAIN' };
  const waits: (() => void)[] = [];
  const writer = createLogWriter({
    writeSome(bytes) {
      if (out.room === 0) throw Object.assign(new Error(out.code), { code: out.code });
      const taken = Math.min(out.room, bytes.byteLength);
      out.room -= taken;
      out.text += Buffer.from(bytes.subarray(0, taken));
      return taken;
    },
    tell: (dropped, why) => `[${dropped} ${why}]\n`,
    after: (_ms, run) => waits.push(run),
    pause: () => {
      out.room += 3;
    },
    waitingBytesMax: 20,
  });
  return { writer, out, wait: () => waits.splice(0).forEach((run) => void run()) };
}

describe('the log, where it can not be written', () => {
  it('waits for a paused reader with a bounded memory, then tells how many lines are lost', () => {
    const { writer, out, wait } = stage();
    for (const line of ['aaaaaaaa\n', 'bbbbbbbb\n', 'cccccccc\n', 'dddddddd\n']) writer.write(line);
    assert.deepEqual([out.text, writer.dropped()], ['', 2]);
    out.room = 12;
    wait();
    assert.equal(out.text, 'aaaaaaaa\nbbb', 'as much as there is room for');
    out.room = 1_000;
    wait();
    writer.write('eeeeeeee\n');
    writer.write('ffffffff\n');
    assert.equal(out.text, 'aaaaaaaa\nbbbbbbbb\n[2 EAGAIN]\neeeeeeee\nffffffff\n');
    assert.equal(writer.dropped(), 2);
  });

  it('drops what a full disk or a closed pipe does not take, and goes on as soon as it does', () => {
    for (const code of ['ENOSPC', 'EPIPE']) {
      const { writer, out } = stage();
      Object.assign(out, { code, room: 4 });
      writer.write('aaaaaaaa\n');
      writer.write('bbbbbbbb\n');
      out.room = 3;
      writer.write('cccccccc\n');
      assert.equal(writer.dropped(), 3);
      out.room = 1_000;
      writer.write('dddddddd\n');
      const lines = out.text.split('\n');
      assert.deepEqual(lines.slice(-3), [`[3 ${code}]`, 'dddddddd', ''], 'whole lines, whatever was torn');
    }
  });

  it('takes a line of any length where nothing waits', () => {
    const { writer, out } = stage();
    out.room = 1_000;
    writer.write(`${'x'.repeat(99)}\n`);
    assert.deepEqual([out.text.length, writer.dropped()], [100, 0]);
  });

  it('at the end gives a slow reader a while, and a paused one no more than that', () => {
    const slow = stage();
    slow.writer.write('aaaaaaaa\n');
    slow.writer.flushSync();
    assert.equal(slow.out.text, 'aaaaaaaa\n');
    let pauses = 0;
    const paused = createLogWriter({
      writeSome: () => 0,
      tell: () => '',
      after: () => {},
      pause: (ms) => {
        pauses += ms;
      },
    });
    paused.write('a\n');
    paused.flushSync();
    assert.equal(pauses, 500);
  });
});
