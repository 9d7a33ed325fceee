import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStage, type Stage } from './stage.ts';

/** Saves of one program, half a second apart. */
const SAVES = 13;

async function saveOften(stage: Stage): Promise<void> {
  for (let n = 1; n <= SAVES; n++) {
    await stage.replace('app', { env: { N: String(n) } });
    await stage.host.advance(500);
  }
}

async function lastServes(stage: Stage): Promise<void> {
  await stage.host.until('the last serves', () => stage.running('app').env.N === String(SAVES));
  await stage.reach('app', 'Ready');
  await stage.host.until('it is alone', () => stage.containers('app').length === 1);
}

const outcomes = async (stage: Stage) =>
  (await stage.host.registry.revisions.list('app')).map(({ number, outcome }) => `${number} ${outcome}`);

const made = (stage: Stage) => stage.host.calls.filter((call) => call.startsWith('createContainer')).length;

/** Revision 1 serves, and takes its whole grace of 10 s to end. */
async function slowToEnd(stage: Stage): Promise<void> {
  await stage.start();
  await stage.create('app', { env: { IGNORE_TERM: '1' } });
  await stage.reach('app', 'Ready');
}

describe('thirteen saves in one rollout', () => {
  it('make a container of the first and of the last, and leave the way back', async (test) => {
    const stage = await createStage(test);
    await slowToEnd(stage);
    await saveOften(stage);
    await lastServes(stage);
    assert.equal(made(stage), 3, 'one served, one was overtaken before it ran, one serves');
    assert.deepEqual(await outcomes(stage), ['1 Ready', '2 Superseded', '3 Ready']);
    const superseded = await stage.host.registry.revisions.get('app', 2);
    assert.equal(superseded?.message, 'another was wanted before it ran');
    assert.equal(await stage.host.programs.rollBack('app', undefined), 1);
    await stage.host.until('the first is back', () => stage.running('app').env.IGNORE_TERM === '1');
  });

  it('can be gone back from while they last', async (test) => {
    const stage = await createStage(test);
    await slowToEnd(stage);
    await stage.replace('app', { env: { N: '1' } });
    await stage.host.until('it is stopped', () => stage.host.calls.some((call) => call.startsWith('stop')));
    assert.equal(await stage.host.programs.rollBack('app', undefined), 1);
    await stage.reach('app', 'Ready');
    await stage.host.until('the first is alone', () => stage.containers('app').length === 1);
    assert.equal(stage.running('app').env.IGNORE_TERM, '1');
    assert.deepEqual(await outcomes(stage), ['1 Ready', '2 Superseded']);
  });

  it('leave it also where each of them ran, and none was ready but the last', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { FIRST: '1' } });
    await stage.reach('app', 'Ready');
    for (let n = 1; n <= SAVES; n++) {
      await stage.replace('app', { env: { N: String(n), ...(n < SAVES && { LISTEN: '0' }) } });
      await host.until('it runs', () => stage.containers('app').some(({ env }) => env.N === String(n)));
      await host.until('it is the one', () => stage.running('app').env.N === String(n));
      await host.advance(0);
    }
    await lastServes(stage);
    const kept = await outcomes(stage);
    assert.equal(kept.length, 10);
    assert.deepEqual([kept[0], kept[1], kept[9]], ['1 Ready', '6 Failed', '14 Ready']);
    assert.equal(await host.programs.rollBack('app', undefined), 1);
  });

  it('call nothing Failed that is wanted again, by another host too', async (test) => {
    const stage = await createStage(test);
    await slowToEnd(stage);
    const second = { env: { N: '2', LISTEN_AFTER_MS: '2000' } };
    await stage.replace('app', second);
    await stage.host.until('it is made', () => stage.containers('app').length === 2);
    await stage.replace('app', { env: { N: '3' } });
    await stage.host.until('it goes', () => stage.containers('app').length === 1);
    assert.deepEqual(await outcomes(stage), ['1 Ready', '2 Superseded']);
    await stage.host.kill();
    await stage.start();
    await stage.replace('app', second);
    await stage.host.until('it runs', () => stage.running('app').env.N === '2');
    const told = await outcomes(stage);
    assert.equal(told[0], '1 Ready');
    assert.match(told.at(-1) ?? '', /Pending$/);
    await stage.reach('app', 'Ready');
    assert.ok(!(await outcomes(stage)).some((one) => one.endsWith('Failed')));
  });
});
