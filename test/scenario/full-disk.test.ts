import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

describe('a ledger that can not be written', () => {
  it('keeps a new program from being begun, says so, and is written when there is room again', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('old');
    await stage.reach('old', 'Ready');
    await rename(join(stage.root, 'status'), join(stage.root, 'data', 'away'));
    await stage.create('app');
    await stage.host.advance(60_000);
    assert.deepEqual(stage.containers('app'), []);
    const { state, reason } = stage.status('app');
    assert.deepEqual({ state, reason }, { state: 'Error', reason: 'RegistryUnavailable' });
    stage.world.end(stage.running('old'), 1);
    await stage.host.advance(1_000);
    stage.running('old');
    await rename(join(stage.root, 'data', 'away'), join(stage.root, 'status'));
    await stage.reach('app', 'Ready');
  });
});
