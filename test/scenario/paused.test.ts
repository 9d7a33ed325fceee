import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AppError } from '../../schemas/errors.ts';
import { createStage, type Stage } from './stage.ts';

const ASKED = { by: 'ann', why: 'its heap' };
/** Longer than any look, back-off or deadline. */
const LONG_MS = 3 * 60_000;

const pause = (stage: Stage, name?: string) => stage.host.pauses.pause(name, ASKED);
const isPaused = (stage: Stage, name: string) =>
  stage.status(name).conditions.some(({ type, status }) => type === 'Paused' && status === 'True');

async function readyStage(...given: Parameters<typeof createStage>) {
  const stage = await createStage(...given);
  const host = await stage.start();
  await stage.create('app');
  await stage.reach('app', 'Ready');
  return { stage, host };
}

describe('a program that is paused', () => {
  it('is left as somebody leaves it, and restarted at once at the resume, for one crash', async (test) => {
    const { stage, host } = await readyStage(test);
    await pause(stage, 'app');
    await host.until('it is paused', () => isPaused(stage, 'app'));
    const calls = host.calls.length;
    for (let times = 0; times < 5; times++) {
      stage.world.end(stage.running('app'), 3);
      await host.advance(1_000);
      assert.deepEqual([stage.status('app').state, stage.status('app').reason], ['Stopped', 'Paused']);
      const [container] = stage.containers('app');
      assert.ok(container);
      stage.world.run(container);
      await host.advance(1_000);
    }
    assert.equal(stage.status('app').state, 'Ready', 'it is looked at as ever');
    stage.world.end(stage.running('app'), 3);
    await host.advance(LONG_MS);
    assert.equal(host.calls.length, calls, 'nothing was done');
    assert.deepEqual([stage.status('app').restartCount, stage.status('app').lastExit?.exitCode], [0, 3]);

    await host.pauses.resume('app', 'bob');
    const status = await stage.reach('app', 'Ready', 1_000);
    assert.deepEqual([status.restartCount, status.memory.starts.crashes?.count], [1, 1]);
    assert.equal(isPaused(stage, 'app'), false);
    const events = await host.registry.events.list('app');
    const told = events.filter(({ reason }) => reason === 'Paused' || reason === 'Resumed');
    assert.deepEqual(
      told.map(({ reason, author }) => [reason, author]).filter(([, author]) => author),
      [
        ['Paused', 'ann'],
        ['Resumed', 'bob'],
      ],
    );
  });

  it('takes wishes down, over a host that is killed, and does them at the resume', async (test) => {
    const { stage, host: first } = await readyStage(test);
    await pause(stage, 'app');
    await stage.replace('app', { env: { NEW: '1' } });
    await first.advance(LONG_MS);
    await first.kill();
    const host = await stage.start();
    await stage.replace('app', { env: { NEW: '2' } });
    await host.advance(LONG_MS);
    assert.deepEqual(host.calls, []);
    assert.equal(stage.running('app').env.NEW, undefined);
    assert.equal(stage.status('app').state, 'Ready');

    await host.pauses.resume('app', '');
    await host.until('the new one serves', () => stage.status('app').currentRevision === 2);
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').env.NEW, '2');
    await pause(stage, 'app');
    await host.programs.editSpec('app', { desiredState: 'Stopped' });
    await host.advance(LONG_MS);
    assert.equal(stage.status('app').state, 'Running');
    await host.pauses.resume('app', '');
    await stage.reach('app', 'Stopped');
  });

  it('goes after the resume where it was deleted meanwhile', async (test) => {
    const { stage, host } = await readyStage(test);
    await pause(stage, 'app');
    await host.programs.remove('app');
    await host.advance(LONG_MS);
    assert.equal(host.programs.get('app'), undefined);
    stage.running('app');
    assert.deepEqual(
      host.registry.pauses.named().map(([name]) => name),
      ['app'],
    );
    assert.equal(host.programs.leftBy('app'), 'me');
    await host.pauses.resume('app', '');
    assert.equal(
      (await host.registry.events.list('app')).find(({ reason }) => reason === 'Resumed')?.author,
      'me',
    );
    await host.until('it is gone', () => stage.containers('app').length === 0);
    assert.equal(host.programs.leftBy('app'), undefined);
    await assert.rejects(host.pauses.resume('app', ''), { reason: 'NotFound' });
  });

  it('waits for no build; another begins at the resume', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN sleep 60\n');
    await host.until('it is built', () => host.controller.images.list().length === 1);
    await pause(stage, 'app');
    await host.until('nothing is built', () => host.controller.images.list().length === 0, 1_000);
    await host.advance(LONG_MS);
    assert.deepEqual(stage.containers('app'), []);
    await host.pauses.resume('app', '');
    await stage.reach('app', 'Ready', 120_000);
  });
});

describe('a host that is paused', () => {
  it('leaves all programs alone, those that come later too, and collects nothing', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start({ collect: { graceMs: 1_000, trashMs: 1_000 } });
    await stage.create('app');
    await stage.reach('app', 'Ready');
    await pause(stage);
    await host.until('it is paused', () => isPaused(stage, 'app'));
    const calls = host.calls.length;
    await stage.create('later');
    await host.programs.remove('app');
    stage.world.addImage('hersh/build-0123456789ab', {
      labels: { 'dev.hersh.build': '0'.repeat(64), 'dev.hersh.instance': 'default' },
    });
    await host.advance(LONG_MS);
    void host.controller.collector.run();
    await host.advance(LONG_MS);
    assert.equal(host.calls.length, calls);
    await assert.rejects(host.programs.confirmPrune(), (error) => {
      return error instanceof AppError && error.reason === 'Conflict';
    });
    await host.pauses.resume(undefined, 'bob');
    await stage.reach('later', 'Ready');
    await host.until('app is gone', () => stage.containers('app').length === 0);
  });

  it('is so where nobody knows what was paused, until somebody resumes it', async (test) => {
    const { stage, host: first } = await readyStage(test);
    await pause(stage, 'app');
    await first.close();
    const path = join(stage.root, 'data/pauses.json');
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, 20));
    const host = await stage.start();
    assert.match(host.registry.pauses.host()?.why ?? '', /pauses\.json can not be read/);
    stage.world.end(stage.running('app'), 3);
    await host.advance(LONG_MS);
    assert.deepEqual(host.calls, []);
    await host.pauses.resume(undefined, '');
    await stage.reach('app', 'Ready');
  });
});
