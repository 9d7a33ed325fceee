import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage } from './stage.ts';

describe('a program in its ordinary life', () => {
  it('is built, created, started and ready, with events in that order', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', { env: { LISTEN_AFTER_MS: '100' } });
    const status = await stage.reach('app', 'Ready');
    console.log(status, await stage.host.registry.events.list('app'), stage.host.calls, stage.host.log);
    await stage.edit('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    await stage.edit('app', { restartedAt: '2026-01-01T00:00:00.000Z' });
    await stage.reach('app', 'Ready');
    console.log(status, await stage.host.registry.events.list('app'), stage.host.calls, stage.host.log);
    await stage.host.programs.remove('app');
    await stage.host.until('gone', () => stage.host.registry.status.get('app') === undefined);
    console.log(stage.host.calls);
  });
});
