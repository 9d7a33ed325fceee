import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createResync } from '../../../controller/loop/resync.ts';

type Given = Parameters<typeof createResync>[0];

function createBench() {
  const looked: string[] = [];
  const list = () => ['app', 'still'].map((name) => ({ name }));
  const given = { list, status: { names: () => ['still', 'gone'] } } as unknown as Given;
  const resync = createResync(given, (name) => void looked.push(name));
  return { resync, taken: () => looked.splice(0).sort() };
}

describe('a resync', () => {
  it('looks at all that has a manifest or a ledger, but for what was found at rest', () => {
    const { resync, taken } = createBench();
    resync.due();
    assert.deepEqual(taken(), ['app', 'gone', 'still']);
    resync.rests('still');
    resync.due();
    assert.deepEqual(taken(), ['app', 'gone']);
  });

  it('looks at all of them when the engine came or went', () => {
    const { resync, taken } = createBench();
    resync.rests('still');
    resync.all();
    assert.deepEqual(taken(), ['app', 'gone', 'still']);
  });

  it('looks again at what a look has begun on since: that one may have failed', () => {
    const { resync, taken } = createBench();
    for (const again of [resync.begins, resync.forget]) {
      resync.rests('still');
      again('still');
      resync.due();
      assert.deepEqual(taken(), ['app', 'gone', 'still']);
    }
  });
});
