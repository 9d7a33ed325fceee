import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LABELS } from '../../schemas/program.ts';
import { createStage, type Stage } from './stage.ts';

const STOPPED = { desiredState: 'Stopped' };
/** Longer than from one resync to the next. */
const LONG_MS = 2 * 60_000;

/** Counts the calls of the engine from now on. */
function countCalls({ world }: Stage): { of(method: string): number } {
  const calls: string[] = [];
  world.fault = (method) => {
    calls.push(method);
    return 'none';
  };
  return { of: (method) => calls.filter((one) => one === method).length };
}

describe('what is stopped and has no objects is left in peace by the resync', () => {
  it('asks the engine as often beside twenty of them as beside none', async (test) => {
    const asked: number[] = [];
    for (const size of [0, 20]) {
      const stage = await createStage(test);
      const host = await stage.start();
      await stage.create('app');
      await stage.reach('app', 'Ready');
      for (let nth = 0; nth < size; nth++) await stage.create(`still-${nth}`, STOPPED);
      await host.advance(LONG_MS);
      const calls = countCalls(stage);
      await host.advance(LONG_MS);
      asked.push(calls.of('listContainers'));
    }
    assert.ok(asked[0] !== undefined && asked[0] > 0);
    assert.equal(asked[1], asked[0]);
  });

  it('and a container of it that somebody brings, though no event tells it, is found', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('still', STOPPED);
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await host.advance(LONG_MS);
    const before = await stage.reasons('still');
    const one = stage.running('app');
    const labels = { ...one.facts.labels, [LABELS.program]: 'still' };
    const facts = { ...one.facts, id: 'brought', name: 'brought', program: 'still', labels };
    stage.world.containers.set('brought', { ...one, facts });
    await host.advance(LONG_MS);
    assert.notDeepEqual(await stage.reasons('still'), before);
  });

  it('and has its ledger written once when it is first seen, with what it came to', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', STOPPED);
    await host.advance(LONG_MS);
    const like = await readFile(join(stage.root, 'programs/app.yaml'), 'utf8');
    const told: string[] = [];
    host.registry.status.subscribe((name) => void told.push(name));
    await stage.write('programs/still.yaml', like.replace('name: app', 'name: still'));
    await host.advance(LONG_MS);
    assert.deepEqual(told, ['still']);
    assert.ok(host.registry.status.isKept('still'));
  });

  it('and is started at once when its manifest says so', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('still', STOPPED);
    await host.advance(LONG_MS);
    await stage.edit('still', { desiredState: 'Running' });
    await stage.reach('still', 'Ready');
  });

  it('and, removed by files, it is forgotten', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('still', STOPPED);
    await stage.create('app');
    await host.advance(LONG_MS);
    await stage.remove('programs/still.yaml');
    await host.until('it is gone', () => host.registry.status.get('still') === undefined, LONG_MS);
  });
});
