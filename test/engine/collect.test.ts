import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pino } from 'pino';
import { COLLECT_LIMITS, type Collector, startCollector } from '../../controller/collect/collect.ts';
import { createDockerEngine } from '../../controller/engine/docker/docker.ts';
import { startController } from '../../controller/loop/controller.ts';
import { probeOnce } from '../../controller/loop/probe-once.ts';
import { createMetrics } from '../../controller/metrics.ts';
import { isPortFree } from '../../controller/ports/ports.ts';
import { createProgramStore } from '../../controller/serve/program-store.ts';
import { openRegistry } from '../../registry/open-registry.ts';
import type { Registry } from '../../registry/registry.ts';
import { systemClock } from '../../schemas/clock.ts';
import { LABELS } from '../../schemas/program.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { TEST_IMAGE } from '../setup/test-image.ts';
import { createDockerFixture, type DockerFixture } from './docker-fixture.ts';

/** What is collected on a real engine really goes, and what a rollback needs is there. */

const HOUR_MS = 3_600_000;
const KIB = 1024;

let fixture: DockerFixture;
let root = '';
const ends: (() => Promise<void>)[] = [];
/** Added to the time by which things are collected, and to no other: a week passes at once. */
let aheadMs = 0;
const clock = {
  ...systemClock,
  now: () => systemClock.now() + aheadMs,
  monotonic: () => systemClock.monotonic() + aheadMs,
};

before(async () => {
  fixture = await createDockerFixture(29900);
  root = await mkdtemp(join(tmpdir(), 'hersh-collect-'));
});

after(async () => {
  for (const end of ends.reverse()) await end();
  await fixture.close();
  await rm(root, { recursive: true, force: true });
});

interface Host {
  registry: Registry;
  collector: Collector;
  programs: ReturnType<typeof createProgramStore>;
  path(...parts: string[]): string;
  list(folder: string): Promise<string[]>;
  /** Writes a Dockerfile with a layer of some size. */
  sources(name: string, text: string): Promise<void>;
  manifest(name: string): Promise<void>;
  ready(name: string, revision: number): Promise<void>;
  /** The builds of which this engine has an image that belongs to the host. */
  images(): Promise<string[]>;
  gone(name: string): Promise<void>;
}

async function start(instance: string, diskBytes?: number): Promise<Host> {
  const folder = join(root, instance);
  const log = pino({ level: 'silent' });
  const metrics = createMetrics();
  const engine = createDockerEngine({ instance, registry: fixedIdentity(), log });
  fixture.engine(instance);
  const registry = await openRegistry({
    ...{ root: folder, policy: { runtime: 'runc' }, clock: systemClock },
    onWarning: () => undefined,
  });
  const from = fixture.port();
  const controller = startController({
    ...{ registry, engine, clock: systemClock, log, metrics, instance, isPortFree },
    probes: { once: probeOnce, isPortLost: async () => false },
    ...{ runtime: 'runc', portRange: { min: from, max: from + 3 } },
  });
  // One of its own beside the controller's, whose first look is long after the test.
  const collector = startCollector({
    filling: () => [],
    ...{ registry, engine, clock, log, metrics, limits: { ...COLLECT_LIMITS, diskBytes } },
    building: () => [],
    engineTrouble: () => '',
  });
  ends.push(async () => {
    await collector.close();
    await controller.close();
    await registry.close();
  });
  const hold = <T>(work: () => Promise<T>) => collector.hold(work);
  const programs = createProgramStore({
    ...{ registry, clock, runtime: 'runc', hold, observed: controller.observed },
    imageIdOf: async (reference) => (await engine.inspectImage(reference))?.id,
    removeStrays: () => controller.removeStrays(),
    tell: controller.tell,
    onBuildStart: (listener) => controller.onBuildStart(listener),
  });
  const path = (...parts: string[]) => join(folder, ...parts);
  const write = async (file: string, text: string) => {
    await mkdir(dirname(path(file)), { recursive: true });
    await writeFile(path(file), text);
  };
  return {
    ...{ registry, collector, programs, path },
    list: async (inner) => (await readdir(path(inner))).filter((name) => !name.startsWith('.')),
    async sources(name, text) {
      await write(`sources/${name}/payload`, `${text}${'x'.repeat(300 * KIB)}`);
      await write(
        `sources/${name}/Dockerfile`,
        `FROM ${TEST_IMAGE}\nLABEL run=${fixture.run}\nCOPY payload /payload\nENV WHICH=${text}\n`,
      );
    },
    manifest: (name) =>
      write(
        `programs/${name}.yaml`,
        `apiVersion: hersh.dev/v1\nkind: Program\nmetadata: {name: ${name}}\nspec: {userId: me, stopGracePeriodSeconds: 1, build: {context: sources/${name}}}\n`,
      ),
    ready: (name, revision) =>
      fixture.until(`${name} serves revision ${revision}`, () => {
        const { state, currentRevision } = registry.status.get(name) ?? {};
        return state === 'Ready' && currentRevision === revision;
      }),
    async images() {
      const own = (await engine.listBuiltImages()).filter(({ claimedBy }) => claimedBy === 'us');
      return own.map(({ build }) => build);
    },
    gone: (name) =>
      fixture.until(`${name} is gone`, async () => {
        const left = await engine.listContainers(name);
        return registry.status.get(name) === undefined && left.length === 0;
      }),
  };
}

async function pass(host: Host, ms: number): Promise<void> {
  await host.collector.run();
  aheadMs += ms;
  await host.collector.run();
}

describe('collection on a real engine', () => {
  it('leaves what could be rolled back to, and takes everything of a program that is gone', async () => {
    const host = await start(`${fixture.run}-one`);
    await host.sources('app', 'one');
    await host.manifest('app');
    await host.ready('app', 1);
    await host.sources('app', 'two');
    await host.ready('app', 2);
    await pass(host, 99 * HOUR_MS);
    const hashes = await host.images();
    assert.equal(hashes.length, 2);
    assert.equal((await host.list('data/contexts')).length, 2);

    assert.equal(await host.programs.rollBack('app', 1), 1);
    await host.ready('app', 3);
    const { publishPort, memory } = host.registry.status.get('app') ?? {};
    assert.match(await fixture.get(publishPort ?? 0, '/env'), /^WHICH=one$/m);
    const volume = memory?.program.volume ?? '';

    await host.programs.remove('app');
    await host.gone('app');
    await pass(host, HOUR_MS);
    assert.deepEqual(await host.images(), []);
    const labelled = await fixture.docker.listImages({ filters: { label: [LABELS.build] } });
    assert.equal(labelled.filter(({ Labels }) => hashes.includes(Labels?.[LABELS.build] ?? '')).length, 0);
    assert.ok(await fixture.docker.getVolume(volume).inspect(), 'the data has more time');
    assert.equal(
      (await host.list('sources')).some((name) => name.startsWith('build-')),
      false,
    );

    await pass(host, 7 * 24 * HOUR_MS);
    await assert.rejects(fixture.docker.getVolume(volume).inspect(), /no such volume/i);
    await pass(host, 7 * 24 * HOUR_MS);
    for (const folder of ['contexts', 'builds', 'revisions', 'events', 'trash'])
      assert.deepEqual(await host.list(`data/${folder}`), [], folder);
    assert.deepEqual(await host.list('sources'), ['app'], 'what people made is theirs');
  });

  it('leaves an image to another host that shares it', async () => {
    const first = await start(`${fixture.run}-first`);
    const second = await start(`${fixture.run}-second`);
    for (const host of [first, second]) {
      await host.sources('app', 'shared');
      await host.manifest('app');
      await host.ready('app', 1);
    }
    const [hash = ''] = await first.images();
    assert.deepEqual(await second.images(), [hash]);
    await second.sources('app', 'other');
    await second.ready('app', 2);
    await first.programs.remove('app');
    await first.gone('app');
    await pass(first, HOUR_MS);
    await pass(second, HOUR_MS);
    assert.deepEqual(await first.images(), []);
    assert.equal((await second.images()).length, 2);
    await second.programs.rollBack('app', 1);
    await second.ready('app', 3);
    await second.programs.remove('app');
    await second.gone('app');
    await pass(second, HOUR_MS);
    assert.deepEqual(await second.images(), []);
  });

  it('takes at once what the disk limit asks for, the older of two', async () => {
    // One image of 300 KiB and its context fit, with some to spare; two do not.
    const host = await start(`${fixture.run}-limit`, 1_100 * KIB);
    for (const name of ['a', 'b']) {
      await host.sources(name, name);
      await host.manifest(name);
      await host.ready(name, 1);
    }
    assert.equal((await host.images()).length, 2);
    for (const name of ['a', 'b']) {
      await host.programs.remove(name);
      await host.gone(name);
      await host.collector.run();
    }
    const left = await host.images();
    assert.equal(left.length, 1);
    const [image] = await fixture.docker.listImages({
      filters: { label: [`${LABELS.build}=${left[0]}`] },
    });
    assert.ok(image);
    const { Config: config } = await fixture.docker.getImage(image.Id).inspect();
    assert.ok(config.Env.includes('WHICH=b'));
  });
});
