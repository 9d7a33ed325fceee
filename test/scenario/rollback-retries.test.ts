import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BAD, count, DEADLINE, GOOD, isBack, rolledBack, triedAgain } from './rollback-stage.ts';
import { createStage } from './stage.ts';

const HOUR_MS = 3_600_000;

describe('a revision that was rolled back', () => {
  it('is not tried again in an hour', async (test) => {
    const stage = await createStage(test);
    const host = await rolledBack(stage);
    const done = count(stage);
    await host.advance(HOUR_MS);
    assert.equal(done(), 0);
    assert.equal(stage.status('app').reason, 'RolledBack');
  });

  it('is not tried again by the next host', async (test) => {
    const stage = await createStage(test);
    for (const end of ['kill', 'close'] as const) {
      await (end === 'kill' ? rolledBack(stage) : stage.start());
      await stage.host[end]();
      await stage.start();
      const done = count(stage);
      await stage.host.advance(120_000);
      assert.equal(done(), 0, end);
      const { state, reason, currentRevision } = stage.status('app');
      assert.deepEqual(
        { state, reason, currentRevision },
        { state: 'Ready', reason: 'RolledBack', currentRevision: 1 },
      );
      await stage.host.kill();
    }
  });

  it('is not tried again when the good one crashes, or is removed by hand', async (test) => {
    const stage = await createStage(test);
    const host = await rolledBack(stage);
    const good = stage.running('app');
    stage.world.end(good, 1);
    await host.advance(0);
    await isBack(stage);
    assert.equal(stage.running('app'), good);
    assert.equal(stage.status('app').restartCount, 1);
    stage.world.end(good, 137);
    stage.world.containers.delete(good.facts.id);
    stage.world.emit(good, 'destroy');
    await host.advance(0);
    await isBack(stage);
    assert.notEqual(stage.running('app'), good);
    assert.equal(stage.running('app').env.GOOD, '1');
    assert.ok(!host.calls.slice(-6).some((call) => call === 'build'));
  });

  it('is not tried again for what costs nothing', async (test) => {
    const stage = await createStage(test);
    const host = await rolledBack(stage);
    const done = count(stage);
    await stage.replace('app', { ...BAD, progressDeadlineSeconds: 60, stopGracePeriodSeconds: 3 });
    await host.advance(120_000);
    assert.equal(done(), 0);
    assert.equal(stage.status('app').reason, 'RolledBack');
  });

  it('is tried again when the spec changes', async (test) => {
    const stage = await createStage(test);
    const host = await rolledBack(stage);
    await stage.replace('app', { ...BAD, env: { LISTEN: '0', OTHER: '1' } });
    await host.until('it is tried', () => stage.running('app').env.OTHER === '1');
    await isBack(stage);
    assert.match(stage.status('app').errorMsg, /^revision 3 was rolled back to 1: /);
    await stage.replace('app', BAD);
    await host.until('the first is tried again, since it was not the last', triedAgain(stage));
  });

  it('is tried again when the sources change', async (test) => {
    const stage = await createStage(test);
    const host = await rolledBack(stage);
    await stage.write('sources/app/Dockerfile', 'FROM scratch\n# mended\n');
    await host.until('it is tried', triedAgain(stage));
    assert.equal(stage.running('app').facts.labels['dev.hersh.revision'], '3');
    await isBack(stage);
  });

  it('is tried again when restartedAt does, as the same revision', async (test) => {
    const stage = await createStage(test);
    const host = await rolledBack(stage);
    await stage.edit('app', { restartedAt: 'now' });
    await host.until('it is tried', triedAgain(stage));
    assert.equal(stage.running('app').facts.labels['dev.hersh.revision'], '2');
    await isBack(stage);
    assert.match(stage.status('app').errorMsg, /^revision 2 was rolled back to 1: /);
  });

  it('serves when it gets ready at the second try', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', GOOD);
    await stage.reach('app', 'Ready');
    await stage.replace('app', { ...DEADLINE, env: { LISTEN_AFTER_MS: '7000' } });
    await isBack(stage);
    await stage.replace('app', { progressDeadlineSeconds: 20, env: { LISTEN_AFTER_MS: '7000' } });
    await stage.edit('app', { restartedAt: 'now' });
    await host.until('it serves', () => stage.status('app').currentRevision === 2);
    await stage.reach('app', 'Ready');
    await host.advance(0);
    assert.equal(stage.status('app').reason, '');
    const outcomes = (await host.programs.revisions('app')).map(({ outcome }) => outcome);
    assert.deepEqual(outcomes, ['Ready', 'Ready']);
  });
});
