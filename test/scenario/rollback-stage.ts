import assert from 'node:assert/strict';
import type { SimHost } from '../sim/host.ts';
import type { Stage } from './stage.ts';

export const DEADLINE = { progressDeadlineSeconds: 5 };
export const GOOD = { ...DEADLINE, env: { GOOD: '1' } };
export const BAD = { ...DEADLINE, env: { LISTEN: '0' } };

/** Revision 1, which is good, serves; revision 2 had its time and was rolled back. */
export async function rolledBack(stage: Stage): Promise<SimHost> {
  const host = await stage.start();
  await stage.create('app', GOOD);
  await stage.reach('app', 'Ready');
  await stage.replace('app', BAD);
  await isBack(stage);
  return host;
}

/** Lets time pass until revision 1 serves alone, the one after it rolled back. */
export async function isBack(stage: Stage): Promise<void> {
  const { host } = stage;
  const isGood = () => {
    const { state, reason, currentRevision } = stage.status('app');
    return state === 'Ready' && reason === 'RolledBack' && currentRevision === 1;
  };
  await host.until('revision 1 is back', isGood, 30_000);
  await host.until('revision 2 is gone', () => stage.containers('app').length === 1);
  await host.advance(0);
}

/** Revision 1 serves again, since neither 2 nor 3 can. */
export async function isInstead(stage: Stage, why: string): Promise<void> {
  const isGood = () => stage.status('app').state === 'Ready' && stage.status('app').currentRevision === 1;
  await stage.host.until('revision 1 is back', isGood, 90_000);
  const done = count(stage);
  await stage.host.advance(120_000);
  assert.equal(done(), 0);
  assert.ok(isGood());
  assert.equal(stage.status('app').reason, why);
  assert.equal(stage.containers('app').length, 1);
}

/** Containers made or started from now on. */
export function count(stage: Stage): () => number {
  const { calls } = stage.host;
  const before = calls.length;
  return () => calls.slice(before).filter((call) => /^(create|start)Container/.test(call)).length;
}

/** Whether it is the bad one that runs. */
export const triedAgain = (stage: Stage) => () => stage.running('app').env.LISTEN === '0';
