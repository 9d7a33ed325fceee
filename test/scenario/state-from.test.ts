import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import type { SimHost, Step } from '../sim/host.ts';
import { createStage, type Spec, type Stage } from './stage.ts';

const DAY_MS = 86_400_000;

/** That can be pulled. */
const IMAGES = ['shop/app:1', 'shop/other:1'] as const;

/** A manifest that asks for the `/state` of another. */
function asking(name: string, from: string | undefined, spec: Spec = {}): string {
  const annotations = from === undefined ? {} : { annotations: { 'hersh.dev/state-from': from } };
  return stringify({
    ...{ apiVersion: 'hersh.dev/v1', kind: 'Program', metadata: { name, ...annotations } },
    spec: { userId: 'me', image: IMAGES[0], ...spec },
  });
}

async function put(stage: Stage, name: string, from?: string, spec?: Spec): Promise<void> {
  for (const image of IMAGES) stage.world.remoteImages.add(image);
  await stage.host.programs.putManifest(name, asking(name, from, spec), null);
}

/** Runs until it is Ready, and gives which volume it has: the engine's id of it, whatever it is called. */
async function dataOf(stage: Stage, name: string): Promise<string> {
  await stage.reach(name, 'Ready');
  return stage.world.volumes.get(stage.running(name).volume)?.id ?? assert.fail('it has no volume');
}

async function removed(stage: Stage, name: string): Promise<void> {
  await stage.host.programs.remove(name);
  await stage.host.until(`${name} is gone`, () => stage.host.registry.status.get(name) === undefined);
}

/** No host runs for longer than anything stays in the trash, and the next one has looked what can go. */
async function laterThanTrash(stage: Stage): Promise<void> {
  await stage.host.close();
  await stage.clock.advance(8 * DAY_MS);
  await stage.start();
  await stage.host.advance(40_000);
}

/** `old` ran, and is deleted. Gives its data. */
async function oldIsGone(stage: Stage, spec?: Spec): Promise<string> {
  await stage.start();
  await put(stage, 'old', undefined, spec);
  const data = await dataOf(stage, 'old');
  await removed(stage, 'old');
  return data;
}

async function refused(stage: Stage, name: string): Promise<string> {
  await stage.host.until('it is refused', () => stage.status(name).reason === 'StateNotTaken');
  assert.deepEqual([stage.status(name).state, stage.containers(name).length], ['Error', 0]);
  return stage.status(name).errorMsg;
}

const told = async (stage: Stage, name: string, reason: string) =>
  (await stage.host.registry.events.list(name)).filter((event) => event.reason === reason);

describe('the /state of a program that is gone', () => {
  it('is taken over by one that asks for it, and both are told', async (test) => {
    const stage = await createStage(test);
    const data = await oldIsGone(stage);
    await put(stage, 'new', 'old');
    assert.equal(await dataOf(stage, 'new'), data);
    assert.match(
      (await told(stage, 'new', 'StateTaken'))[0]?.message ?? '',
      /^the \/state of old, which is gone/,
    );
    assert.match(
      (await told(stage, 'old', 'StateTaken'))[0]?.message ?? '',
      /^program new has its \/state now/,
    );
    assert.deepEqual(await told(stage, 'new', 'StateNotTaken'), []);
  });

  it('is waited for while that is still being deleted: a rename in one step', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await put(stage, 'old', undefined, { env: { IGNORE_TERM: '1' } });
    const data = await dataOf(stage, 'old');
    await stage.host.programs.remove('old');
    await put(stage, 'new', 'old');
    await stage.host.advance(1_000);
    const progress = stage.status('new').conditions.find(({ type }) => type === 'Progressing');
    assert.equal(progress?.reason, 'WaitingForState');
    assert.equal(await dataOf(stage, 'new'), data);
  });

  it('is taken over once: another is refused, and the old name begins anew', async (test) => {
    const stage = await createStage(test);
    const data = await oldIsGone(stage);
    await put(stage, 'new', 'old');
    await stage.reach('new', 'Ready');
    await put(stage, 'late', 'old');
    assert.match(await refused(stage, 'late'), /^the \/state of old is not taken over: program new has it; /);
    await put(stage, 'old');
    assert.notEqual(await dataOf(stage, 'old'), data);
    const again = await dataOf(stage, 'old');
    await removed(stage, 'old');
    await put(stage, 'old');
    assert.equal(await dataOf(stage, 'old'), again, 'its own comes back');
    assert.equal(await dataOf(stage, 'new'), data);
  });

  it('goes only to the same user, of one that is gone, and from the trash', async (test) => {
    const stage = await createStage(test);
    const data = await oldIsGone(stage, { userId: 'ann' });
    await put(stage, 'new', 'old');
    assert.match(
      await refused(stage, 'new'),
      /it is another user's; take the annotation hersh\.dev\/state-from out /,
    );
    await put(stage, 'there', undefined);
    await put(stage, 'b', 'there');
    assert.match(await refused(stage, 'b'), /that program is there; delete it first/);
    await put(stage, 'c', 'nobody');
    assert.match(await refused(stage, 'c'), /there is none in the trash/);
    const { etag } = stage.host.programs.manifest('c') ?? assert.fail();
    await stage.host.programs.putManifest('c', asking('c', undefined), etag);
    await dataOf(stage, 'c');
    await put(stage, 'old', undefined, { userId: 'ann' });
    assert.equal(await dataOf(stage, 'old'), data, 'nothing is lost');
  });

  it('goes to none that has a /state already, which is told once', async (test) => {
    const stage = await createStage(test);
    const data = await oldIsGone(stage);
    await put(stage, 'new');
    const own = await dataOf(stage, 'new');
    const { etag } = stage.host.programs.manifest('new') ?? assert.fail();
    await stage.host.programs.putManifest('new', asking('new', 'old', { env: { N: '2' } }), etag);
    await stage.host.until('it is made anew', () => stage.running('new').env.N === '2');
    assert.equal(await dataOf(stage, 'new'), own);
    await stage.host.advance(60_000);
    const events = await told(stage, 'new', 'StateNotTaken');
    assert.deepEqual([events.length, events[0]?.type], [1, 'Warning']);
    assert.match(
      events[0]?.message ?? '',
      /this program has one already\. .* delete this program and bring it back/,
    );
    await removed(stage, 'new');
    await put(stage, 'new', 'old');
    assert.equal(await dataOf(stage, 'new'), data, 'as it was said');
  });

  it('is its own where it was deleted and comes back, with no further word', async (test) => {
    const stage = await createStage(test);
    const data = await oldIsGone(stage);
    await put(stage, 'new', 'old');
    await stage.reach('new', 'Ready');
    await removed(stage, 'new');
    await put(stage, 'new', 'old');
    assert.equal(await dataOf(stage, 'new'), data);
    assert.deepEqual(await told(stage, 'new', 'StateNotTaken'), []);
  });

  it('stays in the trash for who waits for it, and is not collected from who has it', async (test) => {
    const stage = await createStage(test);
    const data = await oldIsGone(stage);
    await put(stage, 'new', 'old', { desiredState: 'Stopped' });
    await laterThanTrash(stage);
    await stage.host.programs.editSpec('new', { desiredState: 'Running' });
    assert.equal(await dataOf(stage, 'new'), data);
    await laterThanTrash(stage);
    assert.equal(await dataOf(stage, 'new'), data);
    assert.ok([...stage.world.volumes.values()].some(({ id }) => id === data));
  });

  it('is not lost with the ledger, nor with all that the host wrote down', async (test) => {
    const stage = await createStage(test);
    const data = await oldIsGone(stage);
    await put(stage, 'new', 'old');
    await stage.reach('new', 'Ready');
    for (const lost of ['status', 'data']) {
      await stage.host.close();
      await stage.remove('status');
      if (lost === 'data') await stage.remove('data');
      const host = await stage.start();
      await stage.reach('new', 'Ready');
      const { etag } = host.programs.manifest('new') ?? assert.fail();
      await host.programs.putManifest('new', asking('new', 'old', { env: { LOST: lost } }), etag);
      await host.until('it is made anew', () => stage.running('new').env.LOST === lost);
      assert.equal(await dataOf(stage, 'new'), data, lost);
    }
  });

  it('is nobody else’s, wherever the host is killed while it changes hands', async (test) => {
    const steps = ['claimVolume', 'events.append', 'revisions.put', 'status.put', 'engine.createContainer'];
    for (const name of steps) {
      for (const moment of ['before', 'after'] as const) {
        const stage = await createStage(test);
        const data = await oldIsGone(stage);
        await stage.host.close();
        let isKilled = false;
        const onStep = (step: Step, host: Pick<SimHost, 'kill'>) => {
          const isClaiming = step.name === 'claimVolume' || isClaimed;
          if (step.name === 'claimVolume' && step.moment === 'before') isClaimed = true;
          if (isKilled || !isClaiming || step.name !== name || step.moment !== moment) return;
          isKilled = true;
          void host.kill();
        };
        let isClaimed = false;
        await stage.start({ onStep });
        await put(stage, 'new', 'old').catch(() => undefined);
        await stage.host.advance(2_000);
        assert.ok(isKilled, `${name} ${moment}`);
        await stage.start();
        await put(stage, 'old');
        assert.notEqual(await dataOf(stage, 'old'), await dataOf(stage, 'new'), `${name} ${moment}`);
        assert.equal(await dataOf(stage, 'new'), data, `${name} ${moment}`);
        await stage.host.close();
      }
    }
  });
});

describe('a program that was renamed', () => {
  const stays = /stays in the trash under the name old for seven days/;

  it('is told where its /state is, and so is the one it was, whichever came first', async (test) => {
    for (const first of ['new', 'old']) {
      const stage = await createStage(test);
      await stage.start();
      await put(stage, 'old');
      await stage.reach('old', 'Ready');
      if (first === 'old') await removed(stage, 'old');
      await put(stage, 'new');
      await stage.reach('new', 'Ready');
      if (first === 'new') await removed(stage, 'old');
      for (const name of ['old', 'new']) {
        const events = await told(stage, name, 'Renamed');
        assert.equal(events.length, 1, `${name}, ${first} first`);
        assert.match(events[0]?.message ?? '', stays);
      }
      await stage.host.close();
    }
  });

  it('is none that was there beside the other for long', async (test) => {
    const stage = await createStage(test);
    await stage.start();
    await put(stage, 'old');
    await put(stage, 'new');
    for (const name of ['old', 'new']) await stage.reach(name, 'Ready');
    await stage.host.advance(2 * 60_000);
    await removed(stage, 'old');
    for (const name of ['new', 'old']) assert.deepEqual(await told(stage, name, 'Renamed'), [], name);
  });

  it('is none where user or sources are others, where it asks, or where that is long ago', async (test) => {
    const stage = await createStage(test);
    await oldIsGone(stage);
    await put(stage, 'other', undefined, { image: IMAGES[1] });
    await put(stage, 'theirs', undefined, { userId: 'ann' });
    for (const name of ['other', 'theirs']) await stage.reach(name, 'Ready');
    await stage.host.advance(11 * 60_000);
    await put(stage, 'late');
    await stage.reach('late', 'Ready');
    await put(stage, 'new', 'old');
    await stage.reach('new', 'Ready');
    for (const name of ['other', 'theirs', 'late', 'new', 'old'])
      assert.deepEqual(await told(stage, name, 'Renamed'), [], name);
  });
});
