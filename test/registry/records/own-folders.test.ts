import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyStatus } from '../../../schemas/status.ts';
import { smallDisk } from '../disk.ts';
import { createStage, enlist, fileOf, type RegistryStage } from '../registry-stage.ts';

/** Looks, and once more when what is gone has been gone for long enough. */
async function lookTwice(stage: RegistryStage, registry: { look(): Promise<void> }): Promise<void> {
  await registry.look();
  await stage.clock.advance(1_000);
  await registry.look();
}

for (const folder of ['status', 'data']) {
  test(`${folder}/ that is removed is made again a second later, whole, with what is known`, async (t) => {
    const stage = await createStage(t, 'a', 'b');
    const registry = await stage.open();
    await enlist(registry, 'a', 'b');
    const ledger = await stage.read('status/a.yaml');
    const before = await readdir(stage.path(folder));
    await stage.remove(folder);
    await registry.look();
    await assert.rejects(stat(stage.path(folder)), 'whoever removes the registry is not to find it there');
    await stage.clock.advance(1_000);
    await registry.look();
    assert.deepEqual((await readdir(stage.path(folder))).sort(), before.sort());
    assert.equal((await stat(stage.path(folder))).mode & 0o777, 0o700);
    assert.equal(await stage.read(`${folder}/.gitignore`), '*\n');
    assert.equal(await stage.read('status/a.yaml'), ledger);
    assert.deepEqual(registry.health().warnings, []);
    await registry.remove('a');
    await registry.events.append('b', {
      time: '',
      type: 'Normal',
      reason: 'X',
      message: '',
      state: 'Ready',
      revision: 1,
    });
    assert.equal((await registry.events.list('b')).length, 1);
  });
}

test('nothing is made as long as programs/ is away: somebody may be putting a registry in its place', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  await enlist(registry, 'a');
  await stage.remove('programs', 'status', 'data', 'sources');
  await lookTwice(stage, registry);
  assert.deepEqual(await readdir(stage.root), []);
});

test('another status/ in its place, an older copy or an empty one, says what is known before long', async (t) => {
  const stage = await createStage(t, 'a', 'b');
  const registry = await stage.open();
  await enlist(registry, 'a', 'b');
  const ledger = await stage.read('status/a.yaml');
  await stage.write({ 'older/a.yaml': 'older', 'older/.gitignore': '*\n' });
  await rename(stage.path('status'), stage.path('away'));
  await rename(stage.path('older'), stage.path('status'));
  await lookTwice(stage, registry);
  assert.equal(await stage.read('status/a.yaml'), ledger);
  assert.deepEqual((await readdir(stage.path('status'))).sort(), ['.gitignore', 'a.yaml', 'b.yaml']);
  await stage.remove('status/b.yaml');
  await lookTwice(stage, registry);
  assert.deepEqual((await readdir(stage.path('status'))).sort(), ['.gitignore', 'a.yaml', 'b.yaml']);
});

test('a disk that is full is a warning as long as it is, and what was not written is written then', async (t) => {
  const disk = await smallDisk(t, 256);
  const stage = await createStage(t);
  const registry = await stage.open({ root: disk });
  await enlist(registry, 'a');
  await writeFile(join(disk, 'ballast'), Buffer.alloc(256 * 1024)).catch(() => undefined);
  const long = { ...emptyStatus('a', 0), errorMsg: 'x'.repeat(10_000) };
  await assert.rejects(registry.status.put(long), /status\/a\.yaml can not be written/);
  await registry.events.append('a', {
    time: '',
    type: 'Normal',
    reason: 'x'.repeat(10_000),
    message: '',
    state: 'Ready',
    revision: 1,
  });
  for (let count = 0; count < 3; count++) {
    await registry.look();
    const [first, second] = registry.health().warnings;
    assert.match(first ?? '', /^status\/ can not be written: ENOSPC/);
    assert.match(second ?? '', /^data\/ can not be written: ENOSPC/);
  }
  assert.equal(
    stage.warnings.filter((line) => line.startsWith('status/ can not be written')).length,
    1,
    'told once',
  );
  await rm(join(disk, 'ballast'));
  await registry.look();
  assert.deepEqual(registry.health().warnings, []);
  const files = await readdir(join(disk, 'status'));
  assert.deepEqual(
    files.filter((file) => file !== '.gitignore'),
    ['a.yaml'],
  );
  assert.match(await readFile(join(disk, 'status/a.yaml'), 'utf8'), /x{10000}/);
  await registry.close();
});

test('what stands in the way of status/ or data/ is a warning, and programs are read all the same', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  await enlist(registry, 'a');
  for (const folder of ['status', 'data']) {
    await rename(stage.path(folder), stage.path('away'));
    await stage.write({ [folder]: 'a file' });
    await lookTwice(stage, registry);
    assert.match(registry.health().warnings.join(), new RegExp(`^${folder}/ can not be written: EEXIST`));
    if (folder === 'status') await assert.rejects(registry.status.remove('a'), /status\/a\.yaml can not be/);
    await stage.remove(folder);
    await rename(stage.path('away'), stage.path(folder));
    await registry.look();
    assert.deepEqual(registry.health().warnings, []);
  }
  assert.deepEqual(await readdir(stage.path('status')), ['.gitignore'], 'what was to go is gone');
  await stage.remove(fileOf('a'));
  await registry.look();
  assert.equal(registry.get('a'), undefined);
});
