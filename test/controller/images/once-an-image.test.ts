import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CredentialSource } from '../../../controller/credentials/credentials.ts';
import type { BuildImage, Engine } from '../../../controller/engine/engine.ts';
import { createImageTasks } from '../../../controller/images/once-an-image.ts';
import { createMetrics } from '../../../controller/metrics.ts';
import { AppError } from '../../../schemas/errors.ts';
import { createSimEngine } from '../../sim/engine.ts';
import { createSimWorld } from '../../sim/engine-world.ts';
import { createManualClock, settle } from '../../sim/manual-clock.ts';

const BUILD = { context: 'sources/a', dockerfile: 'Dockerfile', args: { A: '1' } };
const IMAGE = { id: 'sha256:1', labels: {} };
const request = (hash: string) => ({
  ...{ hash, buildId: `build-${hash}`, build: BUILD, userId: 'me', pull: false },
});
const pullOf = (reference: string) => ({ reference, userId: 'me', isFresh: false, attempt: 'a' });

const asked = (gone = new AbortController().signal) => ({ reference: 'r/x:1', userId: 'me', gone });

interface Running {
  request: BuildImage;
  signal: AbortSignal;
  say: (text: string) => void;
  end: () => void;
  fail: (error: Error) => void;
}

interface Pulling {
  reference: string;
  signal: AbortSignal;
  progress: () => void;
  end: () => void;
}

function createBench(more: Partial<Parameters<typeof createImageTasks>[0]> = {}) {
  const clock = createManualClock();
  const world = createSimWorld(clock);
  const running: Running[] = [];
  const pulling: Pulling[] = [];
  const logs = new Map<string, string>();
  const steps: Record<string, unknown>[] = [];
  /** Logs that are being written. */
  const open: string[] = [];
  let lingers = false;
  const done: string[] = [];
  const warned: Record<string, unknown>[] = [];
  const engine: Engine = {
    ...createSimEngine({ world, instance: 'default' }),
    build: (asked, say, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => lingers || reject(new AppError('BuildAborted', 'stopped')));
        running.push({ request: asked, signal, say, end: () => resolve(IMAGE), fail: reject });
      }),
  };
  engine.pull = (reference, progress, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new AppError('BuildAborted', 'stopped')));
      pulling.push({ reference, signal, progress: () => progress(''), end: () => resolve(IMAGE) });
    });
  const quiet = () => undefined;
  const log = {
    debug: quiet,
    info: quiet,
    error: quiet,
    warn: (fields: object) => warned.push({ ...fields }),
  };
  const tasks = createImageTasks({
    ...{ engine, clock, metrics: createMetrics(), ...more },
    log: log as unknown as Parameters<typeof createImageTasks>[0]['log'],
    snapshot: async (_build, hash) => ({ path: `/snapshots/${hash}`, aside: [] }),
    openSnapshot: () => {
      throw new Error('nobody reads here');
    },
    startSteps: (buildId) => ({
      take: (news) => void steps.push({ buildId, ...news }),
      end: async (ended, names) => void steps.push({ buildId, ...ended, names: [...names] }),
    }),
    startLog(buildId) {
      open.push(buildId);
      return {
        write: (text) => void logs.set(buildId, (logs.get(buildId) ?? '') + text),
        async end() {
          open.splice(open.indexOf(buildId), 1);
        },
      };
    },
    onDone: (name) => done.push(name),
  });
  return {
    ...{ clock, world, running, pulling, logs, steps, open, done, warned, tasks },
    /** Builds that are stopped end when the test says so. */
    linger() {
      lingers = true;
    },
  };
}

describe('image tasks', () => {
  it('build once for all who wait, with tag, label and arguments, and tell each when it is done', async () => {
    const { running, done, tasks, logs } = createBench();
    tasks.build('a', request('h1'));
    tasks.build('b', request('h1'));
    tasks.build('a', request('h1'));
    await settle();
    assert.equal(running.length, 1);
    const { tag, labels, args, dockerfile } = running[0]?.request ?? {};
    assert.deepEqual([tag, dockerfile, args], ['hersh/build-h1', 'Dockerfile', { A: '1' }]);
    assert.deepEqual(labels, { 'dev.hersh.build': 'h1', 'dev.hersh.program': '' });
    assert.equal(tasks.pending('a'), true);
    assert.equal(tasks.pending('b', 'h1'), true);
    assert.equal(tasks.pending('b', 'h2'), false);
    running[0]?.say('step 1\n');
    running[0]?.end();
    await settle();
    assert.deepEqual(done, ['a', 'b']);
    assert.equal(tasks.pending('a'), false);
    assert.equal(tasks.takeOutcome('a').failure, undefined);
    assert.match(logs.get('build-h1') ?? '', /^step 1\nbuilt sha256:1 in \d/);
  });

  it('write down the steps of a build for all who waited, and how it ended', async () => {
    const { running, tasks, steps } = createBench();
    tasks.build('a', request('h1'));
    await settle();
    tasks.build('b', request('h1'));
    const step = { kind: 'step' as const, number: 1, name: 'FROM x', started: null };
    running[0]?.request.onStep?.(step);
    running[0]?.end();
    tasks.build('c', request('h2'));
    tasks.build('d', request('h3'));
    await settle();
    running[1]?.fail(new AppError('BuildFailed', 'exit code: 3'));
    running[2]?.fail(new AppError('ContextChanged', 'its sources changed'));
    await settle();
    assert.deepEqual(steps[0], { buildId: 'build-h1', ...step });
    const ends = steps.slice(1).map(({ buildId, outcome, error, names }) => [buildId, outcome, error, names]);
    assert.deepEqual(ends, [
      ['build-h1', 'Succeeded', '', ['a', 'b']],
      ['build-h2', 'Failed', 'exit code: 3', ['c']],
      // It begins anew with what the sources are by then.
      ['build-h3', 'Failed', 'its sources changed', []],
    ]);
  });

  it('stop what nobody waits for any more, and not what somebody does', async () => {
    const { running, tasks, logs, steps } = createBench();
    tasks.build('a', request('h1'));
    tasks.build('b', request('h1'));
    await settle();
    tasks.leave('a');
    assert.equal(tasks.pending('a'), false);
    assert.equal(running[0]?.signal.aborted, false);
    tasks.leave('b', 'h1');
    assert.equal(running[0]?.signal.aborted, false, 'b goes on waiting for this one');
    tasks.leave('b', 'h2');
    assert.equal(running[0]?.signal.aborted, true);
    await settle();
    assert.match(logs.get('build-h1') ?? '', /cancelled/);
    assert.deepEqual([steps[0]?.outcome, steps[0]?.names], ['Canceled', ['a', 'b']]);
    assert.equal(tasks.takeOutcome('a').failure, undefined);
    assert.equal(tasks.takeOutcome('b').failure, undefined);
  });

  it('start anew when one comes while the last is being stopped, and when that has ended', async () => {
    const { running, done, open, tasks, linger } = createBench();
    linger();
    tasks.build('a', request('h1'));
    await settle();
    tasks.leave('a');
    tasks.build('b', request('h1'));
    await settle();
    tasks.leave('b');
    tasks.build('c', request('h1'));
    await settle();
    assert.equal(running.length, 1, 'the first has not ended yet');
    assert.deepEqual(open, ['build-h1'], 'one writes the log');
    assert.equal(tasks.pending('c'), true);
    running[0]?.fail(new AppError('BuildAborted', 'stopped'));
    await settle();
    await settle();
    assert.equal(running.length, 2, 'what was left meanwhile is not begun');
    assert.deepEqual(open, ['build-h1']);
    running[1]?.end();
    await settle();
    assert.deepEqual(done, ['c']);
    assert.deepEqual(open, []);
  });

  it('do not start what was left while it waited for its turn', async () => {
    const { running, tasks } = createBench();
    for (const hash of ['h1', 'h2', 'h3']) tasks.build(hash, request(hash));
    await settle();
    assert.equal(running.length, 2);
    tasks.leave('h3');
    running[0]?.end();
    await settle();
    assert.equal(running.length, 2);
  });

  it('tell a failure once, with the last 20 lines, and whether another try may help', async () => {
    const { running, tasks, warned, logs } = createBench();
    for (const [index, reason] of (['BuildFailed', 'BuildNetworkFailed'] as const).entries()) {
      tasks.build('a', request(reason));
      await settle();
      for (let line = 1; line <= 30; line++) running[index]?.say(`line ${line}\n`);
      running[index]?.fail(new AppError(reason, 'RUN false failed'));
      await settle();
      const failure = tasks.takeOutcome('a').failure;
      assert.equal(failure?.key, reason);
      assert.equal(failure?.reason, 'BuildFailed', 'people know one word for both');
      assert.equal(failure?.again, reason === 'BuildNetworkFailed');
      assert.match(failure?.message ?? '', /^RUN false failed\nline 11\n[\s\S]*line 30$/);
      assert.equal(tasks.takeOutcome('a').failure, undefined);
      assert.match(logs.get(`build-${reason}`) ?? '', /failed: RUN false failed/);
    }
    assert.match(String(warned[0]?.tail), /line 30/);
  });

  it('give a build five minutes', async () => {
    const { clock, running, tasks } = createBench();
    tasks.build('a', request('h1'));
    await clock.advance(299_999);
    assert.equal(running[0]?.signal.aborted, false);
    await clock.advance(1);
    assert.equal(running[0]?.signal.aborted, true);
    await settle();
    const failure = tasks.takeOutcome('a').failure;
    assert.deepEqual([failure?.reason, failure?.again], ['BuildFailed', false]);
    assert.match(failure?.message ?? '', /longer than 5 minutes/);
    assert.equal(clock.nextAt(), undefined);
  });

  it('blame no build for an engine that is away when its time is up', async () => {
    const { clock, world, tasks } = createBench();
    tasks.build('a', request('h1'));
    await clock.advance(60_000);
    world.goAway('keep');
    await clock.advance(240_000);
    const failure = tasks.takeOutcome('a').failure;
    assert.deepEqual([failure?.reason, failure?.again], ['EngineUnavailable', true]);
  });

  it('pull beside the builds, two at a time', async () => {
    const { running, pulling, tasks } = createBench();
    for (const name of ['r1', 'r2', 'r3']) tasks.pull(name, pullOf(`${name}/x:1`));
    for (const hash of ['h1', 'h2', 'h3']) tasks.build(hash, request(hash));
    await settle();
    assert.deepEqual(
      pulling.map(({ reference }) => reference),
      ['r1/x:1', 'r2/x:1'],
    );
    assert.equal(running.length, 2);
    pulling[0]?.end();
    await settle();
    assert.equal(pulling.length, 3);
    assert.equal(running.length, 2);
  });

  it('stop a pull that makes no progress for two minutes, and one that takes half an hour in all', async () => {
    const { clock, world, pulling, done, tasks } = createBench();
    tasks.pull('mute', pullOf('mute/x:1'));
    tasks.pull('slow', pullOf('slow/x:1'));
    await settle();
    const [mute, slow] = pulling;
    for (let minute = 1; minute < 30; minute++) {
      slow?.progress();
      if (minute === 1) mute?.progress();
      await clock.advance(60_000);
      assert.equal(mute?.signal.aborted, minute >= 2, `after ${minute} minutes`);
    }
    assert.equal(slow?.signal.aborted, false);
    await clock.advance(60_000);
    assert.equal(slow?.signal.aborted, true);
    assert.deepEqual(done, ['mute', 'slow']);
    const failures = [tasks.takeOutcome('mute').failure, tasks.takeOutcome('slow').failure];
    assert.match(
      failures[0]?.message ?? '',
      /mute\/x:1 could not be pulled: it made no progress for 2 minutes/,
    );
    assert.match(failures[1]?.message ?? '', /slow\/x:1 could not be pulled: it took longer than 30 minutes/);
    for (const failure of failures)
      assert.deepEqual([failure?.reason, failure?.again], ['ImageNotFound', true]);
    assert.equal(clock.nextAt(), undefined);

    tasks.pull('mute', pullOf('mute/x:1'));
    await settle();
    world.goAway('keep');
    await clock.advance(120_000);
    assert.equal(tasks.takeOutcome('mute').failure?.reason, 'EngineUnavailable');
  });

  it('stop all at the end, and wait for it', async () => {
    const { running, tasks, clock } = createBench();
    for (const hash of ['h1', 'h2', 'h3']) tasks.build(hash, request(hash));
    await settle();
    await tasks.close();
    assert.deepEqual(
      running.map(({ signal }) => signal.aborted),
      [true, true],
    );
    assert.equal(clock.nextAt(), undefined);
  });

  it('share a pull only where it may be shared: not what has to be fresh', async () => {
    const { pulling, tasks, done } = createBench();
    tasks.pull('a', pullOf('r/x:1'));
    tasks.pull('b', pullOf('r/x:1'));
    tasks.pull('c', { ...pullOf('r/x:1'), isFresh: true, attempt: 'c1' });
    const now = tasks.pullNow('d', asked());
    await assert.rejects(tasks.pullNow('d', asked()), /under way already/);
    await settle();
    assert.equal(pulling.length, 3);
    for (const index of [0, 1, 2]) {
      pulling[index]?.end();
      await settle();
    }
    assert.deepEqual(await now, IMAGE);
    assert.deepEqual([pulling.length, done], [3, ['a', 'b', 'c']]);
    assert.deepEqual([tasks.takeOutcome('a'), tasks.takeOutcome('c')], [{}, { pulled: 'c1' }]);
  });

  it('build on what is here beside those that ask for base images, and take neither for the other', async () => {
    const { running, tasks, done } = createBench();
    tasks.build('a', request('h1'));
    tasks.build('b', { ...request('h1'), pull: true });
    tasks.build('c', { ...request('h1'), pull: true });
    for (const index of [0, 1]) {
      await settle();
      running[index]?.end();
      await settle();
    }
    assert.deepEqual(
      running.map(({ request: { pull } }) => pull),
      [false, true],
    );
    assert.deepEqual(done, ['a', 'b', 'c']);
  });

  it('let no call keep a program from its image, nor more than ten wait', async () => {
    const { pulling, tasks } = createBench();
    const calls = Array.from({ length: 10 }, (_, index) => tasks.pullNow(`called-${index}`, asked()));
    const told = Promise.allSettled(calls);
    await assert.rejects(tasks.pullNow('one-more', asked()), { reason: 'Busy', http: 503 });
    tasks.pull('a', pullOf('r/y:1'));
    await settle();
    assert.deepEqual(pulling.map(({ reference }) => reference).sort(), ['r/x:1', 'r/x:1', 'r/y:1']);
    pulling[0]?.end();
    await settle();
    assert.deepEqual([pulling.length, await calls[0]], [4, IMAGE]);
    await tasks.close();
    assert.equal((await told).filter(({ status }) => status === 'rejected').length, 9);
  });

  it('stop a pull whose caller is gone, whether it has begun or not', async () => {
    const { pulling, tasks } = createBench();
    const gone = new AbortController();
    const begun = tasks.pullNow('a', asked(gone.signal));
    await settle();
    const stopped = assert.rejects(begun, { reason: 'BuildAborted' });
    gone.abort();
    await stopped;
    assert.equal(pulling[0]?.signal.aborted, true);
    await assert.rejects(tasks.pullNow('a', asked(gone.signal)), { reason: 'BuildAborted' });
    const again = tasks.pullNow('a', asked());
    await settle();
    assert.equal(pulling.length, 2);
    pulling[1]?.end();
    assert.deepEqual(await again, IMAGE);
  });

  it('share nothing between users who are taken in with other credentials, and tell of theirs', async () => {
    const told: string[] = [];
    const credentials: CredentialSource = {
      scopeOf: (userId) => (userId === 'me' ? 'me' : ''),
      of: (userId, onTrouble) => async () => {
        onTrouble(`no file for ${userId}`);
        return undefined;
      },
    };
    const onTrouble = (name: string, message: string) => told.push(`${name}: ${message}`);
    const { pulling, running, tasks } = createBench({ credentials, onTrouble });
    tasks.pull('a', pullOf('r/x:1'));
    tasks.pull('b', { ...pullOf('r/x:1'), userId: 'you' });
    tasks.build('a', request('h1'));
    tasks.build('b', { ...request('h1'), userId: 'you' });
    await settle();
    assert.deepEqual([pulling.length, running.length], [2, 1], 'one at a time writes the log of a build');
    await running[0]?.request.credentials?.('registry.example');
    running[0]?.fail(new AppError('BuildFailed', 'denied'));
    await settle();
    await settle();
    assert.deepEqual([told, running.length], [['a: no file for me'], 2]);
    assert.match(tasks.takeOutcome('a').failure?.message ?? '', /denied.*; no file for me/s);
    running[1]?.end();
    await settle();
    assert.deepEqual(tasks.takeOutcome('b'), {});
  });
});
