import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHostView } from '../../../controller/serve/host-view.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { HostWarning } from '../../../schemas/host-view.ts';
import { fakeView } from '../../api/fake-view.ts';
import { createStage } from '../../scenario/stage.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

const ABOUT = {
  ...{ version: '1.2.3', name: 'machine', instance: 'default', pid: 7, startedAtMs: 0, registry: '/r' },
  ports: { min: 19001, max: 19010 },
  remote: undefined,
};

test('the host at a glance: what runs, waits and takes up disk, by kind and by user', async (t) => {
  const stage = await createStage(t);
  const host = await stage.start();
  const info = { id: '', version: '20.10.24', runtimes: ['runc'], startedAtMs: 0 };
  const view = createHostView({
    ...{ about: ABOUT, registry: host.registry, controller: host.controller, clock: stage.clock },
    ...{
      warnings: () => [],
      unwatched: () => [],
      engine: { info: async () => info },
      runtime: 'runc',
      list: host.programs.list,
    },
  });
  assert.equal((await view()).disk, null, 'nothing was looked at yet');
  await stage.create('app', { userId: 'ann', resources: { memory: '64Mi', cpus: 0.5 } });
  await stage.create('bad', { userId: 'ann', resources: { memory: '64Mi', cpus: 0.5 } });
  await stage.write('sources/bad/Dockerfile', 'FROM scratch\nRUN exit 7\n');
  await stage.create('slow', { userId: 'bob', resources: { memory: '32Mi', cpus: 1 } });
  await stage.write('sources/slow/Dockerfile', 'FROM scratch\nRUN sleep 90\n');
  await stage.reach('app', 'Ready');
  await stage.reach('bad', 'Error');
  await host.advance(31_000);
  const { engine, git, work, ports, disk, users, version } = await view();
  assert.deepEqual([engine.version, git, version, ports.held], ['20.10.24', null, '1.2.3', 3]);
  assert.deepEqual(
    work.images.map(({ programs, running }) => [programs, running]),
    [[['slow'], true]],
  );
  assert.deepEqual(work.operations, { running: 0, waiting: 0, max: 4 });
  const images = disk?.kinds.find(({ kind }) => kind === 'image');
  assert.ok(images !== undefined && images.count === 1, JSON.stringify(disk));
  assert.deepEqual(users, [
    { user_id: 'ann', programs: 2, down: 1, memory_limit_bytes: 128 * 2 ** 20, cpu_limit: 1 },
    { user_id: 'bob', programs: 1, down: 0, memory_limit_bytes: 32 * 2 ** 20, cpu_limit: 1 },
  ]);
});

test('what nobody measures has no size, rather than 0 bytes', async (t) => {
  const stage = await createStage(t);
  const host = await stage.start();
  const { collector } = host.controller;
  await host.programs.createFromSources('sent', 'me', 'build-0123456789ab', new Map([['Dockerfile', '\n']]));
  stage.world.remoteImages.add('shop/app:1');
  await stage.create('app', { image: 'shop/app:1' });
  await stage.reach('app', 'Ready');
  await stage.create('gone', {});
  await stage.reach('gone', 'Ready');
  await host.programs.remove('gone');
  await host.until('it is gone', () => host.registry.status.get('gone') === undefined);
  await collector.run();
  const kinds = new Map(collector.lastFound()?.kinds.map(({ kind, bytes }) => [kind, bytes]));
  for (const kind of ['sources', 'history', 'heldImage', 'volume'] as const)
    assert.equal(kinds.get(kind), null, `${kind}: ${JSON.stringify([...kinds])}`);
  for (const kind of ['image', 'trash'] as const)
    assert.ok((kinds.get(kind) ?? 0) > 0, `${kind}: ${JSON.stringify([...kinds])}`);
});

/** A view of a host about which only its warnings and its engine matter. */
function viewWith(clock: ReturnType<typeof createManualClock>, told: () => HostWarning[], trouble = '') {
  const controller = {
    health: () => ({ trouble, awaySinceMs: 0, listed: true, strays: [] }),
    queue: { depth: 0 },
    slots: { counts: () => ({ running: 0, waiting: 0, max: 4 }) },
    images: { list: () => [] },
    collector: { lastFound: () => undefined },
  };
  return createHostView({
    unwatched: () => [],
    ...{ about: ABOUT, warnings: told, clock, runtime: 'runc', list: () => [fakeView('p')] },
    controller: controller as unknown as Parameters<typeof createHostView>[0]['controller'],
    registry: {
      gitHead: async () => ({ id: 'abc', ref: 'refs/heads/main', operation: '' }),
      remoteTrouble: () => undefined,
    },
    engine: {
      info: async () => {
        throw new AppError('EngineUnavailable', 'no answer');
      },
    },
  });
}

test('a warning has the time since when it is told; one that grows keeps it, one that comes back does not', async () => {
  const clock = createManualClock();
  const paused = { code: 'PrunePaused', message: '1', names: ['a'], confirm: 'programs' } as const;
  let told: HostWarning[] = [paused];
  const view = viewWith(clock, () => told);
  const sinceNow = async () => (await view()).warnings.map(({ since }) => since);
  const first = await sinceNow();
  await clock.advance(1_000);
  told = [{ ...paused, message: '2', names: ['a', 'b'] }];
  assert.deepEqual(await sinceNow(), first);
  told = [];
  assert.deepEqual(await sinceNow(), []);
  told = [paused];
  assert.notDeepEqual(await sinceNow(), first);
});

test('since when a warning stands is no matter of who asks, and what says it itself is believed', async () => {
  const clock = createManualClock();
  const warning = { code: 'RegistryNotice', message: 'x', names: [], confirm: '' } as const;
  const told: HostWarning[] = [];
  const view = viewWith(clock, () => told);
  await clock.advance(60_000);
  told.push(warning, { ...warning, code: 'EngineUnavailable', since: '2026-01-01T00:00:00.000Z' });
  const goesMs = clock.now();
  await clock.advance(3_600_000);
  const [stood, away] = (await view()).warnings;
  assert.ok(Date.parse(stood?.since ?? '') <= goesMs + 10_000, stood?.since);
  assert.equal(away?.since, '2026-01-01T00:00:00.000Z');
});

test('an engine that does not answer is told, and nothing of it is guessed; git without a remote is told', async () => {
  const unknown = { version: null, runtimes: null, default_runtime: 'runc' };
  const away = await viewWith(createManualClock(), () => [], 'it is away')();
  assert.deepEqual(away.engine, { ...unknown, message: 'it is away' });
  const gone = await viewWith(createManualClock(), () => [])();
  assert.deepEqual(gone.engine, { ...unknown, message: 'no answer' });
  assert.deepEqual(gone.git, { head: 'abc', branch: 'main', operation: '', remote: null });
});
