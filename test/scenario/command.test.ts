import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { createStage } from './stage.ts';

const settingsOf = ({ command, args }: { command: string[]; args: string[] }) => [command, args];

describe('command and args', () => {
  it('are what the container is made with, and another revision where they change', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    assert.deepEqual(settingsOf(stage.running('app').facts.settings), [[], ['/server']]);
    for (const [number, spec, wanted] of [
      [2, { command: ['/init'] }, [['/init'], []]],
      [3, { command: ['/init'], args: ['a b'] }, [['/init'], ['a b']]],
      [4, { args: ['a b'] }, [[], ['a b']]],
    ] as const) {
      await stage.replace('app', spec);
      await host.until('it is made anew', () => stage.status('app').currentRevision === number);
      await host.until('the old one is gone', () => stage.containers('app').length === 1);
      assert.deepEqual(settingsOf(stage.running('app').facts.settings), wanted);
    }
    const before = stage.running('app');
    await host.kill();
    await stage.start();
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app'), before, 'the next host leaves it alone');
  });

  it('come back with the revision that had them', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { args: ['good'] });
    await stage.reach('app', 'Ready');
    await stage.replace('app', { args: ['bad'], env: { LISTEN: '0' } });
    await host.until('it is rolled back', () => stage.status('app').reason === 'RolledBack', 120_000);
    await stage.reach('app', 'Ready');
    assert.deepEqual(stage.running('app').facts.settings.args, ['good']);
  });

  it('are put right where the engine says that something else is run by now', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { command: ['/init'] });
    await stage.reach('app', 'Ready');
    await host.advance(70_000);
    const old = stage.running('app');
    old.facts.settings.command = ['/other'];
    await host.until('it is made anew', () => stage.containers('app').every((one) => one !== old), 180_000);
    await stage.reach('app', 'Ready');
    assert.deepEqual(stage.running('app').facts.settings.command, ['/init']);
    assert.ok((await stage.reasons('app')).includes('Drifted'));
  });

  it('of one that an older host took down without them are no drift', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await host.advance(70_000);
    const [before, id] = [stage.running('app'), stage.running('app').facts.id];
    await host.kill();
    const file = join(stage.root, 'status', 'app.yaml');
    const ledger = parse(await readFile(file, 'utf8'));
    const { command: _, args: __, ...known } = ledger.status.memory.containers[id].settings;
    assert.equal(known.pids, 256, 'what was known of it otherwise');
    ledger.status.memory.containers[id].settings = known;
    await writeFile(file, stringify(ledger));
    const later = await stage.start();
    await later.advance(180_000);
    assert.equal(stage.running('app'), before);
  });
});

describe('what a probe sends and expects', () => {
  it('counts at once, and replaces nothing', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { STATUS: '302' }, readiness: { path: '/' } });
    await stage.reach('app', 'Running');
    await host.advance(5_000);
    assert.equal(stage.status('app').state, 'Running');
    const before = stage.running('app');
    const readiness = { path: '/', expect: ['200-399'], headers: { Host: 'app.example' } };
    await stage.replace('app', { env: { STATUS: '302' }, readiness });
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app'), before);
    assert.equal(stage.status('app').currentRevision, 1);
  });

  it('holds for liveness, which restarts what answers something else', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    const liveness = { path: '/', expect: [204], failureThreshold: 1 };
    await stage.create('app', { readiness: { tcp: true }, liveness, progressDeadlineSeconds: 5 });
    await stage.reach('app', 'Ready');
    await host.until('it is restarted', () => stage.status('app').restartCount > 0, 120_000);
    const { message } =
      (await host.registry.events.list('app')).find(({ reason }) => reason === 'Unhealthy') ?? {};
    assert.match(message ?? '', /answered 200, which is none of 204/);
  });
});
