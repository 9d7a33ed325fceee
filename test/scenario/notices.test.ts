import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { troublesOf } from '../../controller/health.ts';
import type { Letter } from '../../controller/notify/form.ts';
import { startNotifier } from '../../controller/notify/notifier.ts';
import { NotTaken, type Post } from '../../controller/notify/post.ts';
import { createStage, type Stage } from './stage.ts';

const UNPROBED = { readiness: { none: true } };

/** A host that tells one receiver, who does as `answer` says. */
async function told(test: TestContext, answer: Post = async () => undefined) {
  const stage = await createStage(test);
  const { registry, controller, metrics } = await stage.start();
  const letters: { url: string; headers: Letter['headers']; body: Record<string, unknown> }[] = [];
  const notifier = startNotifier({
    ...{ clock: stage.clock, metrics, events: registry.events, secret: undefined },
    receivers: [{ url: new URL('https://receiver.example/s3cret'), form: 'json' }],
    teller: { host: 'box', instance: 'default' },
    troubles: () => troublesOf(registry.health(), registry.remoteTrouble(), controller.health()),
    log: { info: () => undefined, warn: () => undefined },
    async post(url, letter, signal) {
      letters.push({ url: url.href, headers: letter.headers, body: JSON.parse(letter.body) });
      await answer(url, letter, signal);
    },
  });
  const reasons = () => letters.map(({ body }) => `${body.program} ${body.reason}`);
  return { stage, letters, notifier, reasons, metrics };
}

async function crash(stage: Stage, name: string, times: number): Promise<void> {
  const container = stage.running(name);
  for (let at = 0; at < times; at++) {
    await stage.host.until('it runs', () => container.facts.state === 'running', 70_000);
    stage.world.end(container, 3);
  }
}

describe('who is to be told', () => {
  it('hears of a crash loop once, however long it goes on, with the words that the event has', async (test) => {
    const { stage, letters, reasons } = await told(test);
    await stage.create('app', UNPROBED);
    await stage.reach('app', 'Ready');
    await crash(stage, 'app', 10);
    await stage.host.until('it is told', () => letters.length > 0);
    await stage.host.advance(60_000);
    assert.deepEqual(reasons(), ['app CrashLoopBackOff']);
    const events = await stage.host.registry.events.list('app');
    const first = events.find(({ reason }) => reason === 'CrashLoopBackOff');
    const { time, message, state, revision, repeated } = letters[0]?.body ?? {};
    assert.deepEqual({ time, message, state, revision, reason: 'CrashLoopBackOff', type: 'Warning' }, first);
    assert.equal(repeated, 0);
  });

  it('hears of it though it fails at first, with one id, and the counts say so', async (test) => {
    let failing = 2;
    const { stage, letters, metrics } = await told(test, async () => {
      if (failing-- > 0) throw new NotTaken(503, 0);
    });
    await stage.write('programs/app.yaml', 'kind: nothing of ours\n');
    await stage.host.until('it is told', () => letters.length === 3);
    assert.equal(new Set(letters.map(({ body }) => body.id)).size, 1);
    assert.equal(new Set(letters.map(({ body }) => body.sent_at)).size, 3);
    assert.equal(letters[0]?.body.reason, 'InvalidManifest');
    const { body } = await metrics.text();
    assert.match(body, /hersh_notifications_sent_total\{receiver="receiver\.example"\} 1\n/);
    assert.match(body, /hersh_notifications_dropped_total\{receiver="receiver\.example"\} 0\n/);
    assert.match(body, /hersh_notifications_waiting 0\n/);
    assert.doesNotMatch(body, /s3cret/);
  });

  it('hears of an engine that is away for long, and of a paused pruning at once', async (test) => {
    const { stage, letters, reasons } = await told(test);
    for (const name of ['a', 'b', 'c']) await stage.create(name, UNPROBED);
    for (const name of ['a', 'b', 'c']) await stage.reach(name, 'Ready');
    for (const name of ['a', 'b', 'c']) await stage.remove(`programs/${name}.yaml`);
    await stage.host.until('it is told', () => letters.length > 0);
    stage.world.goAway('keep');
    await stage.host.until('it is told', () => letters.length > 1, 90_000);
    assert.deepEqual(reasons(), [' PrunePaused', ' EngineUnavailable']);
    assert.match(String(letters[0]?.body.message), /a, b, c.*POST \/registry\/prune/);
    assert.equal(letters[0]?.body.state, undefined, 'it is no program');
  });

  it('and does not answer holds up nothing, and no end for longer than its time', async (test) => {
    const { stage, letters, notifier } = await told(test, () => new Promise(() => undefined));
    await stage.write('programs/bad.yaml', 'kind: nothing of ours\n');
    await stage.host.until('it is being told', () => letters.length === 1);
    await stage.create('app', UNPROBED);
    await stage.reach('app', 'Ready');
    let isClosed = false;
    void notifier.close().then(() => {
      isClosed = true;
    });
    await stage.host.until('it has ended', () => isClosed, 2_000);
  });
});
