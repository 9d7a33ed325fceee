import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measured } from '../../../controller/engine/measured.ts';
import { createSimEngine } from '../../sim/engine.ts';
import { createSimWorld } from '../../sim/engine-world.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

test('every call of the engine is told with its time and outcome, and answered as before', async () => {
  const clock = createManualClock({ auto: true });
  const told: string[] = [];
  const plain = createSimEngine({ world: createSimWorld(clock), instance: 'default' });
  const slow = (end: () => Promise<string[]>) => () =>
    new Promise<string[]>((resolve, reject) => clock.after(1_500, () => end().then(resolve, reject)));
  const engine = measured(
    {
      ...plain,
      listHeldImages: slow(async () => ['sha256:1']),
      hasVolume: async (name) => name === 'there',
      info: () => Promise.reject(new Error('away')),
    },
    clock,
    (operation, outcome, ms) => told.push(`${operation} ${outcome} ${ms}`),
  );
  assert.deepEqual(await engine.listHeldImages(), ['sha256:1']);
  assert.equal(await engine.hasVolume('there'), true);
  await assert.rejects(engine.info(), /away/);
  assert.deepEqual(told, ['listHeldImages ok 1500', 'hasVolume ok 0', 'info error 0']);
  assert.deepEqual(Object.keys(engine).sort(), Object.keys(plain).sort());
});
