import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runBuild } from '../../../controller/images/run-build.ts';
import { runPull } from '../../../controller/images/run-pull.ts';
import { AppError } from '../../../schemas/errors.ts';
import { createSimEngine } from '../../sim/engine.ts';
import { createSimWorld } from '../../sim/engine-world.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

const BUILD = { context: 'sources/app', dockerfile: 'Dockerfile', args: {} };

/** What is counted of a build and of a pull that take two seconds and then end so. */
async function counted(end: 'well' | Error, isStopped = false): Promise<[build: string, pull: string]> {
  const clock = createManualClock({ auto: true });
  const seen: string[] = [];
  const abort = new AbortController();
  const work = async () => {
    await new Promise<void>((resolve) => clock.after(2_000, resolve));
    if (isStopped) abort.abort();
    if (end !== 'well') throw end;
    return { id: 'sha256:1', labels: {} };
  };
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as unknown as Parameters<
    typeof runPull
  >[0]['log'];
  const deps = {
    engine: {
      ...createSimEngine({ world: createSimWorld(clock), instance: 'default' }),
      build: work,
      pull: work,
    },
    ...{ clock, log },
    metrics: {
      images: {
        built: (outcome: string, ms: number) => void seen.push(`${outcome} ${ms}`),
        pulled: (outcome: string, ms: number) => void seen.push(`${outcome} ${ms}`),
      },
    },
    snapshot: async () => ({ path: '/snapshot', aside: [] }),
    openSnapshot: () => assert.fail('nobody reads here'),
    startSteps: () => ({ take: quiet, end: async () => undefined }),
    startLog: () => ({ write: quiet, end: async () => undefined }),
  };
  const request = {
    hash: 'h',
    buildId: 'build-h',
    build: BUILD,
    pull: false,
    userId: 'me',
    waiting: () => ['app'],
  };
  const none = async () => undefined;
  await runBuild(deps, request, none, abort.signal).catch(quiet);
  await runPull(deps, 'example/app', none, abort.signal).catch(quiet);
  return seen as [string, string];
}

test('each build and pull is counted with how it ended and how long it took', async () => {
  assert.deepEqual(await counted('well'), ['succeeded 2000', 'succeeded 2000']);
  const failed = new AppError('BuildFailed', 'exit code: 3');
  assert.deepEqual(await counted(failed), ['failed 2000', 'failed 2000']);
  const stopped = new AppError('BuildAborted', 'stopped');
  assert.deepEqual(await counted(stopped, true), ['canceled 2000', 'canceled 2000']);
  const changed = new AppError('ContextChanged', 'its sources changed');
  assert.equal((await counted(changed))[0], 'superseded 2000');
});
