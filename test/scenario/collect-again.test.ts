import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

const MIN = 60_000;

describe('a look for what can be collected', () => {
  it('that failed is made again soon, then later and later; a good one after ten minutes', async (test) => {
    const stage = await createStage(test);
    const looks: number[] = [];
    let refusals = 3;
    stage.world.fault = (method) => {
      if (method !== 'volumeSizes') return 'none';
      looks.push(stage.clock.monotonic());
      // As 28.5.2 with containerd's image store answers beside a build: 404, snapshot … does not exist.
      return refusals-- > 0 ? 'refuse' : 'none';
    };
    await stage.start({ collect: { diskBytes: 2 ** 30 } });
    await stage.host.controller.collector.run();
    await stage.host.advance(9 * MIN);
    const [first = 0, ...more] = looks;
    const after = more.map((atMs) => atMs - first);
    assert.deepEqual(after, [1_000, 3_000, 7_000]);
  });

  it('is made again soon when the engine was away', async (test) => {
    const stage = await createStage(test);
    let looks = 0;
    stage.world.fault = (method) => {
      if (method === 'listBuiltImages') looks++;
      return 'none';
    };
    await stage.start();
    stage.world.goAway('keep');
    await stage.host.controller.collector.run();
    await stage.host.advance(3 * MIN);
    looks = 0;
    stage.world.comeBack();
    await stage.host.advance(5 * MIN);
    assert.equal(looks, 1);
  });
});
