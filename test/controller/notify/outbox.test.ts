import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Notice } from '../../../controller/notify/notice.ts';
import { createOutbox, QUEUE_MAX, TRIES_MAX, TRY_MS_MAX } from '../../../controller/notify/outbox.ts';
import { NotTaken } from '../../../controller/notify/post.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

const notice = (id: string): Notice => ({
  ...{ id, program: 'p', reason: 'CrashLoopBackOff', message: 'm', time: '', repeated: 0 },
});

/** A box whose receiver does as `answer` says; a clock turned by hand. */
function stage(answer: (id: string, signal: AbortSignal) => Promise<void> | undefined) {
  const clock = createManualClock();
  const tries: { id: string; atS: number }[] = [];
  const log: string[] = [];
  const seen = { sent: 0, dropped: 0 };
  const note = (fields: object, message = '') => void log.push(`${message} ${JSON.stringify(fields)}`);
  const box = createOutbox({
    ...{ host: 'receiver.example', clock },
    log: { info: note, warn: note } as unknown as Parameters<typeof createOutbox>[0]['log'],
    async send({ id }, signal) {
      tries.push({ id, atS: clock.monotonic() / 1000 });
      await answer(id, signal);
    },
    onSent: () => seen.sent++,
    onDropped: () => seen.dropped++,
  });
  return { clock, tries, log, seen, box };
}

const refuse = async () => {
  throw new NotTaken(503, 0);
};
const hang = () => new Promise<void>(() => undefined);

describe('the outbox of a receiver', () => {
  it('tries again after waits that double, in order, and begins anew when one was taken', async () => {
    let failing = 4;
    const { box, clock, tries, seen, log } = stage(() => (failing-- > 0 ? refuse() : undefined));
    box.offer(notice('a'));
    box.offer(notice('b'));
    await clock.advance(60_000);
    const at = tries.map(({ id, atS }) => `${id}@${atS}`);
    assert.deepEqual(at, ['a@0', 'a@1', 'a@3', 'a@7', 'a@15', 'b@15']);
    assert.deepEqual(seen, { sent: 2, dropped: 0 });
    assert.equal(log.length, 2, `it fails, and is back: ${log}`);
    failing = 1;
    box.offer(notice('c'));
    await clock.advance(1_000);
    assert.deepEqual(
      tries.slice(6).map(({ atS }) => atS),
      [60, 61],
    );
  });

  it('gives one up after so many tries, no more than 5 minutes apart, and goes on with the next', async () => {
    const { box, clock, tries, seen, log } = stage((id) => (id === 'a' ? refuse() : undefined));
    box.offer(notice('a'));
    box.offer(notice('b'));
    await clock.advance(3_600_000);
    const ofA = tries.filter(({ id }) => id === 'a').map(({ atS }) => atS);
    assert.equal(ofA.length, TRIES_MAX);
    assert.equal(Math.max(...ofA.slice(1).map((atS, index) => atS - (ofA[index] ?? 0))), 300);
    assert.deepEqual(seen, { sent: 1, dropped: 1 });
    assert.equal(log.filter((line) => /are lost/.test(line)).length, 1);
    assert.match(log.at(-1) ?? '', /takes notifications again .*"lost":1/);
  });

  it('waits as long as the receiver asks, 5 minutes at most', async () => {
    for (const [askedS, waitedS] of [
      [20, 20],
      [3_600, 300],
    ] as const) {
      let first = true;
      const { box, clock, tries } = stage(async () => {
        if (!first) return;
        first = false;
        throw new NotTaken(429, askedS * 1_000);
      });
      box.offer(notice('a'));
      await clock.advance(600_000);
      assert.deepEqual(
        tries.map(({ atS }) => atS),
        [0, waitedS],
      );
    }
  });

  it('gives up at once what the receiver will never take, and holds up nothing behind it', async () => {
    const { box, clock, tries, seen, log } = stage(async (id) => {
      if (id === 'a') throw new NotTaken(422, 0);
    });
    box.offer(notice('a'));
    box.offer(notice('b'));
    await clock.advance(1_000);
    assert.deepEqual(
      tries.map(({ id }) => id),
      ['a', 'b'],
    );
    assert.deepEqual(seen, { sent: 1, dropped: 1 });
    assert.ok(
      log.some((line) => /refused for good: it answered 422/.test(line)),
      log.join('\n'),
    );
  });

  it('ends a try that takes too long, though the request never settles', async () => {
    const signals: AbortSignal[] = [];
    const { box, clock, tries } = stage((_, signal) => {
      signals.push(signal);
      return hang();
    });
    box.offer(notice('a'));
    await clock.advance(TRY_MS_MAX + 1_000);
    assert.equal(tries.length, 2);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, false],
    );
  });

  it('keeps a bounded queue: the oldest that is not being sent goes, counted each, told once', async () => {
    const { box, clock, seen, log, tries } = stage(hang);
    for (let at = 0; at < QUEUE_MAX + 3; at++) box.offer(notice(`n${at}`));
    assert.equal(box.waiting(), QUEUE_MAX);
    assert.equal(seen.dropped, 3);
    assert.equal(log.filter((line) => /are lost/.test(line)).length, 1);
    await clock.advance(TRY_MS_MAX + 1_000);
    assert.deepEqual([...new Set(tries.map(({ id }) => id))], ['n0'], 'the one on its way stays');
  });

  it('an end gives all that waits one more try without pauses, also in the middle of a wait', async () => {
    let failing = true;
    const { box, clock, tries, seen } = stage(() => (failing ? refuse() : undefined));
    for (const id of ['a', 'b', 'c']) box.offer(notice(id));
    await clock.advance(500);
    failing = false;
    await box.close(2_000);
    assert.deepEqual(
      tries.map(({ id }) => id),
      ['a', 'a', 'b', 'c'],
    );
    assert.deepEqual(seen, { sent: 3, dropped: 0 });
    assert.equal(clock.monotonic(), 500);
  });

  it('an end is over with the first failure, or with its time; what is left is counted as lost', async () => {
    const failing = stage(refuse);
    failing.box.offer(notice('a'));
    failing.box.offer(notice('b'));
    await failing.box.close(2_000);
    assert.deepEqual(failing.seen, { sent: 0, dropped: 2 });

    const hanging = stage(hang);
    hanging.box.offer(notice('a'));
    hanging.box.offer(notice('b'));
    const closed = hanging.box.close(2_000);
    await hanging.clock.advance(2_000);
    await closed;
    assert.deepEqual(hanging.seen, { sent: 0, dropped: 2 });
    await stage(hang).box.close(2_000);
  });

  it('says no words that may hold the address', async () => {
    const { box, clock, log } = stage(async () => {
      throw new TypeError('Invalid URL https://hooks.example/services/s3cret');
    });
    box.offer(notice('a'));
    await clock.advance(0);
    assert.match(log[0] ?? '', /receiver\.example.*could not be reached/);
    assert.doesNotMatch(log.join(), /s3cret/);
  });
});
