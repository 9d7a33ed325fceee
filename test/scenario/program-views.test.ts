import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allReady, programs, startInGit } from './git-stage.ts';
import { createStage } from './stage.ts';

/** Leaves out the probes, which are most of what happens in a long time. */
const UNPROBED = { readiness: { none: true } };
const HOUR_MS = 60 * 60_000;

describe('what is shown of a program', () => {
  it('counts the restarts of the last hour, tells when they are fewer, and survives the host', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await stage.create('app', UNPROBED);
    await stage.reach('app', 'Ready');
    const recent = () => stage.host.programs.get('app')?.details.restartsInHour;
    assert.equal(recent(), 0);
    const firstMs = stage.clock.now();
    for (const restarts of [1, 2]) {
      stage.world.end(stage.running('app'), 3);
      await stage.host.until('it is restarted', () => stage.status('app').restartCount === restarts, 10_000);
      await stage.reach('app', 'Ready');
      assert.equal(recent(), restarts);
      await stage.host.advance(10 * 60_000);
    }
    await stage.host.kill();
    await stage.start();
    await stage.reach('app', 'Ready');
    assert.equal(recent(), 2);
    const told: (number | undefined)[] = [];
    stage.host.programs.onAnyChange(() => told.push(recent()));
    await stage.host.advance(firstMs + HOUR_MS + 5 * 60_000 - stage.clock.now());
    assert.equal(recent(), 1);
    assert.ok(told.includes(1), 'told though nothing happened');
    await stage.host.advance(HOUR_MS);
    assert.deepEqual([recent(), stage.status('app').restartCount], [0, 2]);
  });

  it('is its user’s where manifest and ledger agree, and nobody’s alone while one names another', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    const shown = () => {
      const view = host.programs.get('app');
      return [view?.owner, view?.status.userId];
    };
    await stage.create('app', { userId: 'ann' });
    assert.deepEqual(shown(), ['ann', 'ann'], 'there is no ledger yet');
    await stage.reach('app', 'Ready');
    stage.world.goAway('end');
    await host.advance(1_000);
    await stage.replace('app', { userId: 'bob' });
    await host.advance(60_000);
    assert.deepEqual(shown(), [undefined, 'ann']);
    stage.world.comeBack();
    await host.until('it is the other’s', () => stage.status('app').userId === 'bob', 60_000);
    assert.deepEqual(shown(), ['bob', 'bob']);
    await stage.write('programs/app.yaml', 'nothing of a manifest');
    await host.advance(5_000);
    assert.deepEqual(shown(), ['bob', 'bob'], 'what is not valid says nothing');
  });

  it('has the commits of what serves and of what is wanted', async (test) => {
    const stage = await startInGit(test);
    await programs(stage, ['app'], UNPROBED);
    await stage.git('add', '-A');
    await stage.git('commit', '-q', '-m', 'one');
    await stage.start({ git: true });
    await stage.host.until('it is ready', allReady(stage, ['app']), 60_000);
    const head = (await stage.git('rev-parse', 'HEAD')).trim();
    const shown = () => stage.host.programs.get('app')?.details;
    const told: (string | null | undefined)[] = [];
    stage.host.programs.onAnyChange(() => told.push(shown()?.commit));
    assert.equal(shown()?.commit, null, 'nothing is read before somebody asks');
    await stage.host.until('its commit is read', () => told.length > 0);
    assert.deepEqual([shown()?.wantedRevision, shown()?.commit, shown()?.wantedCommit], [1, head, head]);
  });
});
