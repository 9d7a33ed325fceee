import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, readdir, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import type { Registry, RegistryOptions } from '../../../registry/registry.ts';
import { until } from '../folder.ts';
import { createStage, enlist, fileOf, manifest, type RegistryStage, wantedOf } from '../registry-stage.ts';
import { watchReads } from './watch-reads.ts';

const NAMES = ['a', 'b', 'c'];
const BUILD = 'some build';
const INDEX = 'data/index.ndjson';
const statusOf = (name: string) => `status/${name}.yaml`;
const ALL = [...NAMES.map(fileOf), ...NAMES.map(statusOf)].sort();

/** Opens it as the next host does. Gives which files it read. */
async function reopen(stage: RegistryStage, options: Partial<RegistryOptions> = {}) {
  const open = () => stage.open({ build: BUILD, ...options });
  const { result, read } = await watchReads(stage.root, open);
  return { registry: result, read };
}

/** A registry whose host has ended in good order, so that it left an index. */
async function createKept(t: TestContext): Promise<RegistryStage> {
  const stage = await createStage(t, ...NAMES);
  const { registry, read } = await reopen(stage);
  assert.deepEqual(read, NAMES.map(fileOf), 'at the first start nothing is known');
  await enlist(registry, ...NAMES);
  await registry.close();
  return stage;
}

const knownOf = (registry: Registry) => ({
  manifests: registry.list(),
  statuses: registry.status.names().map((name) => registry.status.get(name)),
});

test('what did not change since is known without being read, and is the same', async (t) => {
  const stage = await createKept(t);
  const { registry, read } = await reopen(stage);
  assert.deepEqual(read, []);
  const without = await stage.open();
  assert.deepEqual(knownOf(registry), knownOf(without));
  assert.equal(registry.status.isDurable('a'), true);
  await registry.close();
  assert.deepEqual((await reopen(stage)).read, [], 'nor the time after');
});

test('a file that changed is read, and no other', async (t) => {
  const stage = await createKept(t);
  const { size } = await stat(stage.path(fileOf('b')));
  await writeFile(stage.path(fileOf('b')), manifest('b').replace('nginx', 'httpd'));
  assert.equal((await stat(stage.path(fileOf('b')))).size, size);
  const { registry, read } = await reopen(stage);
  assert.deepEqual(read, [fileOf('b')]);
  assert.equal(registry.get('b')?.program?.rawSpec.image, 'httpd');
});

test('another file of the same name, size and time is read', async (t) => {
  const stage = await createKept(t);
  const path = stage.path(fileOf('b'));
  const { size, mtimeNs } = await stat(path, { bigint: true });
  await stage.write({ other: manifest('b').replace('nginx', 'httpd') });
  execFileSync('touch', ['-r', path, stage.path('other')]);
  await rename(stage.path('other'), path);
  const now = await stat(path, { bigint: true });
  assert.deepEqual([now.size, now.mtimeNs], [size, mtimeNs]);
  const { registry, read } = await reopen(stage);
  assert.deepEqual(read, [fileOf('b')]);
  assert.equal(registry.get('b')?.program?.rawSpec.image, 'httpd');
});

test('a file that was written just before the index was is read, since it may have been written once more', async (t) => {
  const stage = await createStage(t, ...NAMES);
  const { registry } = await reopen(stage);
  await enlist(registry, ...NAMES);
  const ages = await Promise.all(ALL.map(async (file) => Number((await stat(stage.path(file))).ctimeMs)));
  stage.clock.nowMs = () => Math.max(...ages) + 1_000;
  await registry.close();
  assert.deepEqual((await reopen(stage)).read, ALL);
  const untouched = await reopen(stage);
  stage.clock.nowMs = () => Math.max(...ages) + 60_000;
  await untouched.registry.close();
  assert.deepEqual((await reopen(stage)).read, []);
});

test('a status that the host wrote is known to the next', async (t) => {
  const stage = await createKept(t);
  const { registry } = await reopen(stage);
  await registry.status.put({ ...existing(registry, 'a'), restartCount: 3 });
  await registry.close();
  const { registry: next, read } = await reopen(stage);
  assert.deepEqual(read, []);
  assert.equal(next.status.get('a')?.restartCount, 3);
});

const existing = (registry: Registry, name: string) => {
  const status = registry.status.get(name);
  assert.ok(status);
  return status;
};

const DAMAGES: Record<string, (path: string) => Promise<void>> = {
  'cut off': async (path) => truncate(path, (await stat(path)).size - 100),
  empty: (path) => truncate(path, 0),
  'with more behind it': (path) => appendFile(path, 'x\n'),
  'with other bytes in it': async (path) =>
    writeFile(path, (await readFile(path, 'utf8')).replace('nginx', 'httpd')),
  'of zeros': async (path) => writeFile(path, Buffer.alloc((await stat(path)).size)),
};
for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`an index ${what} is thrown away, and made anew`, async (t) => {
    const stage = await createKept(t);
    await damage(stage.path(INDEX));
    const { registry, read } = await reopen(stage);
    assert.deepEqual(read, ALL);
    assert.deepEqual(knownOf(registry), knownOf(await stage.open()));
    await registry.close();
    assert.deepEqual((await reopen(stage)).read, []);
  });
}

test('an index of another build, or under another policy, is thrown away', async (t) => {
  const stage = await createKept(t);
  assert.deepEqual((await reopen(stage, { build: 'another' })).read, ALL);
  assert.deepEqual((await reopen(stage, { policy: { runtime: 'runsc' } })).read, ALL);
  const { registry, read } = await reopen(stage, { build: undefined });
  assert.deepEqual(read, ALL);
  await registry.close();
  assert.deepEqual((await reopen(stage)).read, [], 'who knows no build leaves it alone');
});

test('a host that is killed while it writes the index leaves the older one', async (t) => {
  const stage = await createKept(t);
  const { registry } = await reopen(stage);
  const half = (await stage.read(INDEX)).slice(0, 300);
  await stage.write({ 'data/.hersh-tmp-0123456789ab-index.ndjson': half });
  await registry.status.put({ ...existing(registry, 'a'), restartCount: 3 });
  const { registry: next, read } = await reopen(stage);
  assert.deepEqual(read, [statusOf('a')]);
  assert.equal(next.status.get('a')?.restartCount, 3);
  assert.deepEqual(
    (await readdir(stage.path('data'))).filter((name) => name.includes('tmp')),
    [],
  );
});

test('a manifest that went while no host ran is missed, and a ledger as well', async (t) => {
  const stage = await createKept(t);
  await stage.remove(fileOf('a'), statusOf('b'));
  const { registry, read } = await reopen(stage);
  assert.deepEqual(read, []);
  assert.equal(wantedOf(registry, ...NAMES), 'unknown present present');
  assert.deepEqual(registry.status.names(), ['a', 'c']);
  await until('its absence is believed', async () => {
    await stage.clock.advance(1_000);
    return wantedOf(registry, 'a') === 'gone';
  });
});

test('a status that was edited by hand while no host ran is read', async (t) => {
  const stage = await createKept(t);
  const text = await stage.read(statusOf('a'));
  await stage.write({ [statusOf('a')]: text.replace('restartCount: 0', 'restartCount: 7') });
  const { registry, read } = await reopen(stage);
  assert.deepEqual(read, [statusOf('a')]);
  assert.equal(registry.status.get('a')?.restartCount, 7);
});

test('a status that was edited by hand while the host ran is read by the next', async (t) => {
  const stage = await createKept(t);
  const { registry } = await reopen(stage);
  await registry.status.put({ ...existing(registry, 'b'), restartCount: 3 });
  for (const name of ['a', 'b']) {
    const text = await stage.read(statusOf(name));
    await stage.write({ [statusOf(name)]: text.replace(/restartCount: \d/, 'restartCount: 7') });
  }
  await registry.close();
  const { registry: next, read } = await reopen(stage);
  assert.deepEqual(read, ['a', 'b'].map(statusOf));
  assert.deepEqual(
    ['a', 'b'].map((name) => next.status.get(name)?.restartCount),
    [7, 7],
  );
});

test('what is wrong with manifests is found at each start', async (t) => {
  const stage = await createKept(t);
  await stage.write({
    [fileOf('broken')]: 'spec: [',
    [fileOf('moved')]: manifest('a'),
    [fileOf('B')]: manifest('B'),
    [fileOf('empty')]: '',
  });
  await (await reopen(stage)).registry.close();
  const { registry, read } = await reopen(stage);
  assert.deepEqual(read, ['B', 'broken', 'empty', 'moved'].map(fileOf));
  assert.deepEqual(knownOf(registry), knownOf(await stage.open()));
  assert.equal(registry.clashOf('B'), 'b');
});

test('it is written when much has changed and the host has calmed down, and at its end where anything did', async (t) => {
  const many = Array.from({ length: 120 }, (_, nth) => `p${nth}`);
  const stage = await createStage(t, ...many);
  const { registry } = await reopen(stage);
  const isThere = async () => (await readdir(stage.path('data'))).includes('index.ndjson');
  await stage.clock.advance(4_000);
  await enlist(registry, 'p0');
  await stage.clock.advance(4_000);
  assert.equal(await isThere(), false, 'something changed a moment ago');
  await stage.clock.advance(10_000);
  await until('the index is written', isThere);
  const { ino } = await stat(stage.path(INDEX));
  await registry.close();
  assert.equal((await stat(stage.path(INDEX))).ino, ino, 'nothing has changed since');
  const { registry: next } = await reopen(stage);
  await enlist(next, 'p1');
  await next.close();
  assert.notEqual((await stat(stage.path(INDEX))).ino, ino);
});
