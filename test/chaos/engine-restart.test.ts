import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createHost, type Host, manifestText, type Program } from '../e2e/host.ts';
import { until } from '../e2e/until.ts';
import { type EngineOptions, openSecondEngine, type SecondEngine } from './second-engine.ts';

/** 15 s, and what a busy machine takes on top. */
const FROZEN_TOLD_MS_MAX = 25_000;
/** Enough for what an engine writes while nothing happens, and too little for a build. */
const ROOM_BYTES = 2 ** 20;
/** Who is ended with the engine twice has to have run this long in between (`after-exit.ts`). */
const SHORT_RUN_MS = 1_000;

/** An engine that ends, dies, hangs or loses its socket, with programs in every state on it. */

let engine: SecondEngine;
let host: Host;

before(async () => {
  engine = await openSecondEngine();
  host = await createHost('29700-29709', engine.place);
  await host.start();
  await host.writeManifest('calm');
  await host.writeManifest('calm-too', { restartPolicy: 'OnFailure' });
  await host.writeManifest('once', { restartPolicy: 'Never', env: { EXIT: '0' } });
  await host.writeManifest('halted');
  await host.untilState('halted', 'Ready');
  await host.call('POST', '/programs/halted/stop');
  const program = await host.untilState('calm', 'Ready');
  const { text } = await host.direct(program, '/write?path=/state/marker&data=kept');
  assert.equal(text, 'ok');
  await settled();
});

after(async () => {
  await host?.close();
  await engine?.close();
});

const NAMES = ['calm', 'calm-too', 'once', 'halted'];
const look = () => Promise.all(NAMES.map((name) => host.get(name)));
const away = ({ conditions }: Program) => conditions.find(({ type }) => type === 'EngineUnavailable');

/** Everything as the manifests want it, for long enough that the next end of the engine is seen as one. */
async function settled(): Promise<Program[]> {
  await until('the host is ready', async () => (await host.call('GET', '/readyz')).status === 200);
  for (const name of ['calm', 'calm-too'])
    await host.untilProgram(name, 'is Ready', (p) => p.state === 'Ready' && away(p) === undefined);
  for (const name of ['once', 'halted'])
    await host.untilProgram(name, 'is Stopped', (p) => p.state === 'Stopped' && away(p) === undefined);
  await runForLong();
  return look();
}

/** The host says that the engine is away, and everything else as it last knew it. */
async function saysSo(before: readonly Program[]): Promise<void> {
  const told = await until('/readyz says why', async () => {
    const { status, json } = await host.call('GET', '/readyz');
    return status === 503 && json;
  });
  assert.match(JSON.stringify(told), /EngineUnavailable|engine does not answer/);
  for (const { program_id, state, container_id } of before) {
    const now = await host.untilProgram(program_id, 'says so', (p) => away(p)?.status === 'True');
    assert.deepEqual([now.state, now.container_id], [state, container_id], `${program_id} as last known`);
  }
  assert.ok(!host.child().hasEnded(), 'the host stays up');
}

async function startTimes(): Promise<string[]> {
  const listed = await host.containers();
  const found = await Promise.all(
    listed.map(async ({ Id }) => (await host.docker.getContainer(Id).inspect()).State.StartedAt),
  );
  return found.sort();
}

/** Nobody was started a moment ago: 20.10.24 ends what runs some 0.4 s after it is started anew. */
async function runForLong(): Promise<void> {
  await until('all have run for a second', async () => {
    const last = (await startTimes()).at(-1) ?? '';
    return Date.now() - Date.parse(last) > SHORT_RUN_MS;
  });
}

/** One container a program, the same as before, the data there. */
async function checkAfter(
  before: readonly Program[],
  now: readonly Program[],
  restarts: number,
): Promise<void> {
  const ids = (programs: readonly Program[]) => programs.map(({ container_id }) => container_id);
  assert.deepEqual(ids(now), ids(before), 'no container was replaced');
  assert.equal((await host.containers()).length, NAMES.length);
  const [calm] = now;
  assert.ok(calm !== undefined);
  assert.equal((await host.direct(calm, '/read?path=/state/marker')).text, 'kept');
  for (const [index, { program_id, restart_count }] of now.entries()) {
    const more = restart_count - (before[index]?.restart_count ?? 0);
    assert.ok(more >= 0 && more <= restarts, `${program_id} was restarted ${more} times`);
    const finished = program_id === 'once' || program_id === 'halted';
    assert.ok(!finished || more === 0, `${program_id} stays as it was`);
  }
}

describe('an engine', { concurrency: false }, () => {
  const ways: [string, EngineOptions, () => Promise<void>][] = [
    ['ends and takes its containers with it', {}, () => engine.stop()],
    ['is killed, its containers outlive it and are ended when it is back', {}, () => engine.kill()],
  ];
  for (const [what, options, end] of ways) {
    it(`${what}: everything converges, what had finished stays so`, async () => {
      const before = await settled();
      const runs = async () =>
        (await host.events('once')).filter(({ reason }) => reason === 'Completed').length;
      const finished = await runs();
      await end();
      await saysSo(before);
      await engine.start(options);
      const now = await settled();
      await checkAfter(before, now, 1);
      assert.equal(await runs(), finished, 'it did not run again');
      // By the default bridge, which 20.10.24 makes anew at a start that takes over no container.
      const restarts = (await host.events('calm')).filter(({ reason }) => reason === 'Restarted');
      const words = restarts.at(-1)?.message ?? '';
      assert.match(words, /after the engine or the machine went down/, 'no crash');
    });
  }

  for (const way of ['stop', 'kill'] as const) {
    it(`with live-restore: a ${way} of the engine restarts nothing`, async () => {
      await engine.stop();
      await engine.start({ liveRestore: true });
      const before = await settled();
      const started = await startTimes();
      await engine[way]();
      await saysSo(before);
      await engine.start({ liveRestore: true });
      const now = await settled();
      await checkAfter(before, now, 0);
      assert.deepEqual(await startTimes(), started);
    });
  }

  it('that is frozen is noticed by its silence, and nothing is changed when it thaws', async () => {
    const before = await settled();
    const started = await startTimes();
    engine.freeze(true);
    const frozenAtMs = performance.now();
    try {
      // Somebody's edit, which the host looks into at once: it asks the engine, and waits.
      await host.writeFile('programs/calm.yaml', `${manifestText('calm')}# edited\n`);
      await saysSo(before);
      const ms = performance.now() - frozenAtMs;
      assert.ok(ms < FROZEN_TOLD_MS_MAX, `it was told after ${ms} ms`);
      const logs = await host.call('GET', '/programs/calm/logs');
      assert.equal(logs.status, 503, logs.text);
    } finally {
      engine.freeze(false);
    }
    await checkAfter(before, await settled(), 0);
    assert.deepEqual(await startTimes(), started);
  });

  it('whose disk is full builds when there is room again, and what runs is left alone', async () => {
    const before = await settled();
    const started = await startTimes();
    await host.writeFile('sources/roomless/big', Buffer.alloc(ROOM_BYTES * 4, host.marker));
    const context = await host.writeContext('roomless', 'COPY big /big');
    engine.leaveRoom(ROOM_BYTES);
    try {
      await host.writeManifest('roomless', { build: { context } });
      const told = await host.untilError('roomless', 'DiskFull');
      assert.match(told.error_msg, /no space left on device.*Free disk space.*tried again at/is);
      await checkAfter(before, await look(), 0);
    } finally {
      engine.leaveRoom();
    }
    await host.untilState('roomless', 'Ready');
    await host.call('DELETE', '/programs/roomless');
    await host.untilGone('roomless');
    await checkAfter(before, await settled(), 0);
    assert.deepEqual(await startTimes(), started);
  });

  it('whose socket vanishes is away until it is back; what was asked for meanwhile is done then', async () => {
    const before = await settled();
    await engine.hideSocket(true);
    await saysSo(before);
    assert.equal((await host.call('POST', '/programs/halted/start')).status, 200);
    await engine.hideSocket(false);
    await host.untilState('halted', 'Ready');
    await host.call('POST', '/programs/halted/stop');
    await checkAfter(before, await settled(), 0);
  });
});
