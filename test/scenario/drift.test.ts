import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage, manifest } from './stage.ts';

/** What an older host knew to look at. */
const OLD_SETTINGS = ['memoryBytes', 'cpus', 'pids', 'restartPolicy', 'network', 'networks'];

describe('a container that somebody changed', () => {
  it('is replaced within a minute where the event was lost, and the event says what was found', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const { facts } = stage.running('app');
    facts.settings.memorySwapBytes = -1;
    await host.until('another serves', () => stage.status('app').containerId !== facts.id, 60_000);
    await stage.reach('app', 'Ready');
    const drifted = (await host.registry.events.list('app')).filter(({ reason }) => reason === 'Drifted');
    assert.match(drifted[0]?.message ?? '', /memorySwapBytes is -1 instead of \d+/);
    assert.notEqual(stage.running('app').facts.settings.memorySwapBytes, -1);
  });

  it('is told from one that an older host looked at less closely, of which the rest is then noted', async (test) => {
    const stage = await createStage(test);
    const first = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    const { facts } = stage.running('app');
    const status = stage.status('app');
    const { containerId = '', settings = {} } = status.memory.baseline ?? {};
    const known = Object.entries(settings).filter(([setting]) => OLD_SETTINGS.includes(setting));
    const baseline = { containerId, settings: Object.fromEntries(known) };
    await first.registry.status.put({ ...status, memory: { ...status.memory, baseline } });
    await first.kill();

    const second = await stage.start();
    await second.advance(120_000);
    assert.equal(stage.running('app').facts.id, facts.id, 'an upgrade replaces nothing');
    assert.equal(stage.status('app').state, 'Ready');
    assert.deepEqual(stage.status('app').memory.baseline?.settings, facts.settings);

    facts.settings.cpuShares = 2;
    await second.until('another serves', () => stage.status('app').containerId !== facts.id, 60_000);
  });

  it('while no host ran, and its successor was wanted, is not brought back as it is', async (test) => {
    const stage = await createStage(test);
    const first = await stage.start();
    await stage.create('app', { progressDeadlineSeconds: 10 });
    await stage.reach('app', 'Ready');
    const { facts } = stage.running('app');
    await first.kill();
    facts.settings.cpus = 64;
    await stage.write(
      'programs/app.yaml',
      manifest('app', { progressDeadlineSeconds: 10, env: { LISTEN: '0' } }),
    );
    const second = await stage.start();
    await second.until('it is rolled back', () => stage.status('app').reason === 'RolledBack');
    await second.advance(70_000);
    await stage.reach('app', 'Ready');
    assert.notEqual(stage.running('app').facts.id, facts.id);
    assert.equal(stage.running('app').facts.settings.cpus, 1);
  });
});
