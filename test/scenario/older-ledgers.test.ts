import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { timestamp } from '../../schemas/program.ts';
import type { SimHost } from '../sim/host.ts';
import { createStage, type Stage } from './stage.ts';

const LEDGERS = fileURLToPath(new URL('../registry/records/older-ledgers/', import.meta.url));
const MINUTE_MS = 60_000;
const DEADLINE = { progressDeadlineSeconds: 5 };

/**
 * Another host comes, and finds what one of version 0.1.0 would have left: its ledger, of that name, of the
 * container that is really there.
 */
async function takeOver(stage: Stage, file: string): Promise<SimHost> {
  await stage.host.kill();
  const path = join(stage.root, 'status/app.yaml');
  assert.match(await readFile(path, 'utf8'), /^ {4}rollout: /m, 'today it is written otherwise');
  const older = await readFile(join(LEDGERS, `${file}.yaml`), 'utf8');
  assert.match(older, /^ {4}latestRevision: /m);
  await writeFile(path, fitted(older, stage));
  const host = await stage.start();
  assert.deepEqual([...host.registry.status.damaged().keys()], []);
  return host;
}

function fitted(text: string, stage: Stage): string {
  const containers = stage.containers('app');
  assert.ok(containers.length <= 1, 'the ledger tells of one container');
  const [, oldId = ''] = /^ {2}containerId: "(\w*)"$/m.exec(text) ?? [];
  assert.equal(oldId !== '', containers.length === 1, 'it is the world that the ledger tells of');
  const [container] = containers;
  if (container === undefined) return text;
  const { id, startedAtMs } = container.facts;
  return text
    .replaceAll(new RegExp(`${oldId}@\\d+`, 'g'), `${id}@${startedAtMs}`)
    .replaceAll(oldId, id)
    .replace(/^ {2}startedAt: .*$/m, `  startedAt: "${timestamp(startedAtMs)}"`);
}

/** A program that serves, and whatever is told of it then. */
async function serving(stage: Stage, spec: Record<string, unknown> = {}): Promise<SimHost> {
  const host = await stage.start();
  await stage.create('app', spec);
  await stage.reach('app', 'Ready');
  return host;
}

/** Nothing is done to the engine in that time. */
async function rests(stage: Stage, ms = 2 * MINUTE_MS): Promise<void> {
  const { host } = stage;
  const done = host.calls.length;
  await host.advance(ms);
  assert.deepEqual(host.calls.slice(done), []);
}

const shown = (stage: Stage) => {
  const { state, reason, currentRevision } = stage.status('app');
  return [state, reason, currentRevision];
};
const drifts = async (stage: Stage) =>
  (await stage.host.registry.events.list('app')).filter(({ reason }) => reason === 'Drifted');

describe('a host that finds the ledger of an older one', () => {
  it('lets alone what serves, and knows what was good when another does not get ready', async (test) => {
    const stage = await createStage(test);
    await serving(stage, { env: { N: '1' } });
    await stage.replace('app', { env: { N: '2' } });
    await stage.host.until('the second serves', () => stage.status('app').currentRevision === 2);
    await stage.reach('app', 'Ready');
    const before = stage.running('app');
    const host = await takeOver(stage, 'ready');
    assert.deepEqual(shown(stage), ['Ready', '', 2]);
    await rests(stage);
    assert.deepEqual(host.calls, []);
    assert.equal(stage.running('app'), before);
    assert.deepEqual(shown(stage), ['Ready', '', 2]);
    assert.equal(stage.status('app').readyAt, '2026-01-01T00:00:00.050Z', 'as the older one had it');
    assert.deepEqual(await drifts(stage), []);

    await stage.replace('app', { ...DEADLINE, env: { LISTEN: '0' } });
    await host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    await stage.reach('app', 'Ready');
    assert.deepEqual(shown(stage), ['Ready', 'RolledBack', 2]);
    assert.equal(stage.running('app').env.N, '2');
  });

  it('goes on with a back-off, and counts on', async (test) => {
    const stage = await createStage(test);
    const first = await stage.start();
    await stage.create('app', { env: { EXIT: '3' } });
    const waits = (count: number) => () => {
      const { state, memory } = stage.status('app');
      return state === 'Error' && memory.starts.crashes?.count === count;
    };
    await first.until('it waits', waits(6), 4 * MINUTE_MS);
    const host = await takeOver(stage, 'back-off');
    const { nextAt = '' } = stage.status('app').memory.starts.crashes ?? {};
    assert.equal(nextAt, '2026-01-01T00:00:31.000Z');
    await rests(stage, Date.parse(nextAt) - stage.clock.now() - 1);
    assert.deepEqual(host.calls, []);
    await host.until('it waits again', waits(7), 1_000);
    assert.deepEqual(host.calls, ['startContainer hersh-program-app']);
    assert.equal(stage.status('app').restartCount, 6);
  });

  it('does not run again what had run to its end, until that is asked for', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', { restartPolicy: 'Never', env: { EXIT_AFTER_MS: '500' } });
    await stage.reach('app', 'Stopped');
    const host = await takeOver(stage, 'finished');
    await rests(stage);
    assert.deepEqual(host.calls, []);
    assert.deepEqual(shown(stage), ['Stopped', 'Completed', 1]);
    await stage.edit('app', { restartedAt: 'now' });
    await stage.reach('app', 'Ready');
  });

  for (const asked of ['the next', 'the same'])
    it(`runs ${asked} where what had run to its end was overtaken`, async (test) => {
      const stage = await createStage(test);
      const first = await serving(stage, { restartPolicy: 'Never' });
      stage.world.end(stage.running('app'), 0);
      await stage.reach('app', 'Stopped');
      await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN sleep 30\n');
      await first.until('the next is built', () => stage.status('app').state === 'Building');
      if (asked === 'the same') await stage.write('sources/app/Dockerfile', 'FROM scratch\n# app\n');
      await takeOver(stage, 'overtaken');
      await stage.reach('app', 'Ready');
      assert.equal(stage.status('app').currentRevision, asked === 'the same' ? 1 : 2);
    });

  it('does not try again what was rolled back, until another is wanted', async (test) => {
    const stage = await createStage(test);
    const first = await serving(stage, { ...DEADLINE, env: { GOOD: '1' } });
    await stage.replace('app', { ...DEADLINE, env: { LISTEN: '0' } });
    await isBack(stage);
    await first.advance(0);
    const host = await takeOver(stage, 'rolled-back');
    await rests(stage, 10 * MINUTE_MS);
    assert.deepEqual(host.calls, []);
    assert.deepEqual(shown(stage), ['Ready', 'RolledBack', 1]);
    await stage.replace('app', { ...DEADLINE, env: { GOOD: '3' } });
    await host.until('the third serves', () => stage.status('app').currentRevision === 3);
    await stage.reach('app', 'Ready');
  });

  it('tries again what the engine refused when that is due, and counts the tries on', async (test) => {
    const stage = await createStage(test);
    await serving(stage);
    let starts = 0;
    stage.world.fault = (method) => (method === 'startContainer' && starts++ % 2 === 0 ? 'refuse' : 'none');
    await stage.replace('app', { env: { CHANGED: '1' } });
    await isBack(stage);
    const host = await takeOver(stage, 'refused');
    const { rollout } = stage.status('app').memory;
    const nextAt = (rollout.verdict === 'bad' && rollout.nextAt) || '';
    assert.equal(nextAt, '2026-01-01T00:01:00.025Z');
    await rests(stage, Date.parse(nextAt) - stage.clock.now() - 1);
    assert.deepEqual(host.calls, []);
    await host.advance(60 * MINUTE_MS);
    const stops = host.calls.filter((call) => call === 'stopContainer hersh-program-app');
    assert.equal(stops.length, 4, 'the fifth try is the last');
    assert.deepEqual(shown(stage), ['Ready', 'RolledBack', 1]);
  });

  it('does not build again what failed for good', async (test) => {
    const stage = await createStage(test);
    const first = await serving(stage);
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await first.until('the build failed', () => stage.status('app').reason === 'BuildFailed');
    const host = await takeOver(stage, 'failed-build');
    await rests(stage);
    assert.deepEqual(host.calls, []);
    assert.deepEqual(shown(stage), ['Ready', 'BuildFailed', 1]);
  });

  it('waits for the next try of a start that failed, and blames nobody for what was removed', async (test) => {
    const stage = await createStage(test);
    const first = await serving(stage, { readiness: { none: true } });
    stage.world.fault = (method) => (method === 'startContainer' ? 'refuse' : 'none');
    stage.world.end(stage.running('app'), 3);
    const attempts = () => stage.status('app').memory.starts.failed?.attempts ?? 0;
    await first.until('three starts failed', () => attempts() === 3);
    await first.advance(0);
    const host = await takeOver(stage, 'failed-start');
    assert.equal(attempts(), 3);
    const { nextAt = '' } = stage.status('app').memory.starts.failed ?? {};
    await rests(stage, Date.parse(nextAt) - stage.clock.now() - 1);
    assert.deepEqual(host.calls, []);
    await host.until('the fourth failed', () => attempts() === 4, 1_000);
    stage.world.fault = () => 'none';
    await stage.reach('app', 'Ready');
    assert.deepEqual(await drifts(stage), []);
  });

  it('leaves stopped what is stopped, with its data and its port for the next start', async (test) => {
    const stage = await createStage(test);
    await serving(stage);
    const { volume } = stage.running('app');
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    const host = await takeOver(stage, 'stopped');
    await rests(stage);
    assert.deepEqual(host.calls, []);
    assert.deepEqual(shown(stage), ['Stopped', '', 1]);
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').volume, volume);
    assert.equal(stage.status('app').publishPort, 19_001);
    assert.equal(stage.status('app').restartCount, 0, 'its end was asked for');
  });

  it('lets alone what took the place of one that drifted, and sees when that drifts too', async (test) => {
    const stage = await createStage(test);
    const first = await serving(stage);
    const old = stage.running('app').facts;
    old.settings.memorySwapBytes = -1;
    await first.until('another serves', () => stage.status('app').containerId !== old.id, 2 * MINUTE_MS);
    await stage.reach('app', 'Ready');
    const told = (await drifts(stage)).length;
    const host = await takeOver(stage, 'drifted');
    await rests(stage);
    assert.deepEqual(host.calls, []);
    const { facts } = stage.running('app');
    facts.settings.memorySwapBytes = -1;
    await host.until('another serves', () => stage.status('app').containerId !== facts.id, 2 * MINUTE_MS);
    assert.equal((await drifts(stage)).length, told + 1);
  });

  it('goes on deleting, and says by which commit', async (test) => {
    const stage = await createStage(test);
    const first = await serving(stage, { env: { IGNORE_TERM: '1' } });
    await first.programs.remove('app');
    await first.until('it is stopped', () => stage.status('app').state === 'Stopping');
    const host = await takeOver(stage, 'deleted');
    const { registry } = host;
    await host.until('all of it is gone', () => registry.status.get('app') === undefined, 2 * MINUTE_MS);
    assert.equal(stage.containers('app').length, 0);
    assert.ok(!host.calls.some((call) => /^(create|start)Container/.test(call)));
    const events = await registry.events.list('app');
    assert.match(events.at(-1)?.message ?? '', /deleted by commit aa39d70b971bd0da9d921a867798cd8d2bdbe09c/);
  });

  it('knows that it was the liveness for which a run was ended', async (test) => {
    const stage = await createStage(test);
    const liveness = { path: '/', periodSeconds: 1, failureThreshold: 2 };
    const first = await serving(stage, { env: { IGNORE_TERM: '1' }, liveness });
    const container = stage.running('app');
    await first.advance(MINUTE_MS / 2);
    container.listening = false;
    const end = () => stage.status('app').memory.containers[container.facts.id]?.run?.end;
    await first.until('it is being ended', () => end() === 'unhealthy');
    const host = await takeOver(stage, 'unhealthy');
    assert.equal(end(), 'unhealthy');
    // As the stop does that the host before had begun.
    stage.world.end(container, 0);
    await host.until('it is restarted', () => stage.status('app').restartCount === 1);
    assert.equal(stage.status('app').lastExit?.unhealthy, true);
    await stage.reach('app', 'Ready');
  });
});

/** Revision 1 serves again, alone. */
async function isBack(stage: Stage): Promise<void> {
  const isGood = () => shown(stage).join() === 'Ready,RolledBack,1' && stage.containers('app').length === 1;
  await stage.host.until('revision 1 is back', isGood);
}
