import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTrashedVolumes } from '../../../registry/records/trashed-volumes.ts';
import { emptyStatus, type ProgramStatus } from '../../../schemas/status.ts';
import { tempFolder } from '../folder.ts';

const OLD = { name: 'old', userId: 'me', volume: 'v' };

function ledgers(volumes: Record<string, string | undefined> = {}) {
  const get = (name: string): ProgramStatus | undefined => {
    if (!(name in volumes)) return undefined;
    const status = emptyStatus(name, 0);
    const volume = volumes[name];
    return volume === undefined
      ? status
      : { ...status, memory: { ...status.memory, program: { ...status.memory.program, volume } } };
  };
  return { get, names: () => Object.keys(volumes) };
}

const claimOf = (name: string, from: string | undefined, volume = 'v') => ({
  name,
  userId: 'me',
  volume,
  from,
});

test('of two that claim one volume at a time, one gets it, and keeps it', async (t) => {
  const folder = await tempFolder(t);
  let ms = 1;
  const volumes = openTrashedVolumes(folder, () => ms++, ledgers());
  await volumes.note({ ...OLD, sources: 'image x' });
  const got = await Promise.all([volumes.claim(claimOf('a', 'old')), volumes.claim(claimOf('b', 'old'))]);
  assert.deepEqual(got, [true, false]);
  const next = openTrashedVolumes(folder, () => ms++, ledgers());
  const [record, ...more] = await next.list();
  assert.deepEqual([record?.takenBy, record?.name, record?.sources, more], ['a', 'old', 'image x', []]);
  assert.deepEqual(
    [await next.claim(claimOf('a', 'old')), await next.claim(claimOf('old', undefined))],
    [true, false],
  );
  assert.equal((await readdir(folder)).length, 1);
});

test('a claim is refused of what is held, is another user`s, was never there, or whose program is back', async (t) => {
  const folder = await tempFolder(t);
  const claim = (held: Record<string, string | undefined>, of: ReturnType<typeof claimOf>) =>
    openTrashedVolumes(folder, () => 2, ledgers(held)).claim(of);
  await openTrashedVolumes(folder, () => 1, ledgers()).note(OLD);
  assert.equal(await claim({ other: 'v' }, claimOf('a', 'old')), false);
  assert.equal(await claim({ old: undefined }, claimOf('a', 'old')), false);
  assert.equal(await claim({}, { ...claimOf('a', 'old'), userId: 'you' }), false);
  assert.equal(await claim({}, claimOf('a', 'old', 'none')), false);
  assert.equal(await claim({}, claimOf('a', undefined)), false);
  assert.equal(await claim({ old: undefined }, claimOf('old', undefined)), true, 'its own');
  assert.equal(await claim({}, claimOf('a', undefined, 'new')), true);
});

test('damaged records are left out, and the newest of a volume is the one that counts', async (t) => {
  const folder = await tempFolder(t);
  let ms = 9;
  const volumes = openTrashedVolumes(folder, () => ms++, ledgers());
  await volumes.note(OLD);
  await volumes.note({ ...OLD, name: 'next' });
  for (const [file, text] of Object.entries({ 'a.1.volume.json': '{"name":', 'b.2.volume.json': '[]' }))
    await writeFile(join(folder, file), text);
  assert.deepEqual(
    (await volumes.list()).map(({ name }) => name),
    ['old', 'next'],
  );
  assert.equal(await volumes.claim(claimOf('old', undefined)), false);
  assert.equal(await volumes.claim(claimOf('next', undefined)), true);
});
