import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { timestamp } from '../../schemas/program.ts';
import { createStage, type Stage } from './stage.ts';

/** What a client sees at each change, from now on. */
function watch(stage: Stage, name: string): { state: string; containerId: string }[] {
  const { programs, registry } = stage.host;
  const seen: { state: string; containerId: string }[] = [];
  const look = () => {
    const { state, containerId } = programs.get(name)?.status ?? { state: 'gone', containerId: '' };
    seen.push({ state, containerId });
  };
  registry.subscribe(look);
  registry.status.subscribe(look);
  return seen;
}

const RESTARTED_AT = '2026-11-22T10:00:00.000Z';

describe('what is shown after a call', () => {
  it('restart: the old run is never Ready again, whatever is built first', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    for (const [restartedAt, sources] of [
      [RESTARTED_AT, ''],
      ['2026-11-22T11:00:00.000Z', '# changed\n'],
    ] as const) {
      const old = stage.running('app').facts.id;
      if (sources !== '') await stage.write('sources/app/Dockerfile', `FROM scratch\n${sources}`);
      const seen = watch(stage, 'app');
      await stage.edit('app', { restartedAt });
      assert.equal(host.programs.get('app')?.status.state, 'Stopping', 'at once');
      await host.until('another container serves', () => {
        const { containerId, state } = stage.status('app');
        return state === 'Ready' && containerId !== old;
      });
      assert.deepEqual(
        seen.filter(({ state, containerId }) => state === 'Ready' && containerId === old),
        [],
      );
    }
  });

  it('stop and start: the wish at once', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.edit('app', { desiredState: 'Stopped' });
    const { state, conditions } = host.programs.get('app')?.status ?? assert.fail();
    assert.equal(state, 'Stopping');
    assert.equal(conditions.find(({ type }) => type === 'Ready')?.status, 'False');
    await stage.reach('app', 'Stopped');
    await stage.edit('app', { desiredState: 'Running' });
    assert.equal(host.programs.get('app')?.status.state, 'Building');
    await stage.reach('app', 'Ready');
    assert.equal(host.programs.get('app')?.status.state, 'Ready');
  });

  it('restart while the engine is away: not Ready of the old run', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    stage.world.goAway('keep');
    await host.advance(30_000);
    await stage.edit('app', { restartedAt: RESTARTED_AT });
    await host.advance(30_000);
    assert.equal(host.programs.get('app')?.status.state, 'Stopping');
    stage.world.comeBack();
    await stage.reach('app', 'Ready');
  });

  it('restart that nothing can be built for: Ready again by a run that began since', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await stage.remove('sources/app');
    await stage.edit('app', { restartedAt: timestamp(stage.clock.now()) });
    await host.until('it is told', () => stage.status('app').reason === 'BuildFailed');
    await host.advance(60_000);
    assert.equal(stage.status('app').state, 'Running');
    stage.world.end(stage.running('app'), 1);
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').reason, 'BuildFailed', 'told beside it');
  });
});

describe('what is shown after a start of the host', () => {
  it('nothing is Ready by what an older host wrote', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await host.kill();
    stage.world.goAway('keep');
    const next = await stage.start();
    const { state, conditions } = next.programs.get('app')?.status ?? assert.fail();
    assert.equal(state, 'Running');
    const ready = conditions.find(({ type }) => type === 'Ready');
    assert.deepEqual([ready?.status, ready?.reason], ['Unknown', 'NotYetObserved']);
    assert.deepEqual(next.programs.list(), [next.programs.get('app')]);
    const { body } = await next.metrics.text();
    assert.match(body, /hersh_programs\{state="Ready"\} 0/);
    stage.world.comeBack();
    await next.until('it was looked at', () => next.programs.get('app')?.status.state === 'Ready');
    assert.equal(next.programs.list()[0]?.status.state, 'Ready', 'in the list too');
  });
});
