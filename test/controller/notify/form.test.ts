import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { describe, it } from 'node:test';
import { letterOf } from '../../../controller/notify/form.ts';
import { noticeOf } from '../../../controller/notify/notice.ts';
import type { Form } from '../../../controller/notify/receiver.ts';
import type { ProgramEvent } from '../../../schemas/program.ts';

const teller = { host: 'box', instance: 'default' };
const event: ProgramEvent = {
  ...{ time: '2026-01-01T00:00:00.000Z', type: 'Warning', reason: 'CrashLoopBackOff' },
  ...{ message: 'exited 5 times in a row (exit code 1)\n<!channel> & `x` ä', state: 'Error', revision: 3 },
};
const secret = 'a secret of the test';
const nowMs = Date.parse('2026-01-01T00:00:07.000Z');
const letter = (form: Form, one = event, repeated = 0) =>
  letterOf(noticeOf(teller, 'counter', one, repeated), { form, teller, secret, nowMs });

/** As the README says it. */
function isOurs(body: Buffer, header: string, atMs: number): boolean {
  const want = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const given = Buffer.from(header);
  if (given.length !== want.length || !timingSafeEqual(given, want)) return false;
  return Math.abs(atMs - Date.parse(JSON.parse(body.toString()).sent_at)) < 5 * 60_000;
}

describe('what a receiver is sent', () => {
  it('as JSON: the event, whose it is, when it was sent; signed with all of that', () => {
    const { headers, body } = letter('json', event, 4);
    const { id, ...rest } = JSON.parse(body);
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.equal(headers['X-Hersh-Delivery'], id);
    assert.deepEqual(rest, {
      ...{ sent_at: '2026-01-01T00:00:07.000Z', ...teller, program: 'counter' },
      ...{ ...event, repeated: 4 },
    });
    const header = headers['X-Hersh-Signature-256'] ?? '';
    assert.ok(isOurs(Buffer.from(body), header, nowMs));
    assert.ok(!isOurs(Buffer.from(body.replace('07.000Z', '08.000Z')), header, nowMs), 'another time');
    assert.ok(!isOurs(Buffer.from(body), header, nowMs + 10 * 60_000), 'sent once more, later');
    assert.ok(!isOurs(Buffer.from(body), 'sha256=00', nowMs));
  });

  it('without a secret is not signed, and never holds the secret', () => {
    const notice = noticeOf(teller, 'counter', event);
    const bare = letterOf(notice, { form: 'json', teller, secret: undefined, nowMs });
    assert.deepEqual(Object.keys(bare.headers), ['Content-Type', 'X-Hersh-Delivery']);
    for (const form of ['json', 'slack', 'ntfy'] as const)
      assert.doesNotMatch(JSON.stringify(letter(form)), /a secret of the test/);
  });

  it('has one id for one event, whenever it is told, and others for others', () => {
    const id = (program: string, one: ProgramEvent) => noticeOf(teller, program, one).id;
    assert.equal(id('counter', event), id('counter', { ...event }));
    const others = [
      id('other', event),
      id('counter', { ...event, time: '2026-01-01T00:00:01.000Z' }),
      id('counter', { ...event, revision: 4 }),
      noticeOf({ ...teller, instance: 'second' }, 'counter', event).id,
      noticeOf({ ...teller, host: 'other' }, 'counter', event).id,
    ];
    assert.equal(new Set([id('counter', event), ...others]).size, 6);
  });

  it('as Slack takes it: one text, in which the output of a program calls nobody', () => {
    const { headers, body } = letter('slack', event, 2);
    assert.equal(headers['Content-Type'], 'application/json');
    assert.equal(headers['X-Hersh-Signature-256'], undefined);
    assert.deepEqual(JSON.parse(body), {
      text: "*CrashLoopBackOff: counter (default on box, 2 more times since it was told last)*\n```\nexited 5 times in a row (exit code 1)\n&lt;!channel&gt; &amp; 'x' ä\n```",
    });
  });

  it('as ntfy takes it: the message as text, the rest as headers that HTTP can carry', () => {
    const { headers, body } = letter('ntfy');
    assert.equal(body, event.message);
    assert.equal(headers.Title, 'CrashLoopBackOff: counter (default on box)');
    assert.equal(headers.Priority, 'high');
    assert.equal(headers.Tags, 'warning');
    for (const value of Object.values(headers)) assert.match(value, /^[\x20-\x7e]*$/);
  });

  it('is no longer than the service takes; its begin and its end stay', () => {
    const long = { ...event, message: `begin ${'ä€😀'.repeat(9_000)} end` };
    const { body } = letter('ntfy', long);
    // ntfy makes a file of what is longer (2.6: message-size-limit 4096).
    assert.ok(Buffer.byteLength(body) <= 4096, String(Buffer.byteLength(body)));
    assert.match(body, /^begin .*\n…\n.* end$/s);
    assert.doesNotMatch(body, /\ufffd/);
    assert.ok(Buffer.byteLength(letter('json', long).body) < 20_000);
    assert.ok(Buffer.byteLength(JSON.parse(letter('slack', long).body).text) < 3_500);
  });
});
