import assert from 'node:assert/strict';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Registry } from '../../../registry/registry.ts';
import { AppError, type Reason } from '../../../schemas/errors.ts';
import { smallDisk } from '../disk.ts';
import { createStage, enlist, fileOf, manifest } from '../registry-stage.ts';

const isReason = (reason: Reason) => (error: unknown) => error instanceof AppError && error.reason === reason;
const entryOf = (registry: Registry, name: string) => {
  const entry = registry.get(name);
  assert.ok(entry !== undefined, name);
  return entry;
};
const stop = { desiredState: 'Stopped' } as const;

test('a manifest that is created is there at once, whole, and others are told', async (t) => {
  const stage = await createStage(t);
  const registry = await stage.open();
  const told: string[] = [];
  registry.subscribe(({ names }) => told.push(...names));
  const entry = await registry.create('a', manifest('a'));
  assert.equal(entry.program?.name, 'a');
  assert.equal(await stage.read(fileOf('a')), manifest('a'));
  assert.equal(registry.get('a'), entry);
  assert.deepEqual(registry.list(), [entry]);
  assert.deepEqual(told, ['a']);
  await registry.look();
  assert.deepEqual(told, ['a'], 'a look finds nothing new in it');
  assert.deepEqual(await readdir(stage.path('programs')), ['a.yaml'], 'nothing is left beside it');
});

test('what is there is not created: known, unknown yet, by case, a folder, a dead link', async (t) => {
  const stage = await createStage(t, 'known', 'Case');
  const registry = await stage.open();
  await stage.write({ [fileOf('unseen')]: 'foreign', [`${fileOf('folder')}/`]: '' });
  await symlink('nowhere', stage.path(fileOf('dead')));
  for (const name of ['known', 'unseen', 'case', 'folder', 'dead']) {
    await assert.rejects(registry.create(name, manifest(name)), isReason('Conflict'), name);
  }
  assert.equal(await stage.read(fileOf('unseen')), 'foreign');
  for (const name of ['', '../x', 'a/b', '.a', 'a'.repeat(129)]) {
    await assert.rejects(registry.create(name, ''), isReason('BadRequest'), name);
  }
  assert.deepEqual(
    (await readdir(stage.path('programs'))).filter((name) => name.startsWith('.')),
    [],
  );
});

test('of many that create the same name at once, one does', async (t) => {
  const stage = await createStage(t);
  const registry = await stage.open();
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => registry.create('a', manifest('a', `  # ${index}\n`))),
  );
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.equal(await stage.read(fileOf('a')), registry.get('a')?.text);
});

test('a replacement names what it replaces', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  const { etag } = entryOf(registry, 'a');
  const text = manifest('a', '  publishPort: 19005\n');
  const entry = await registry.replace('a', text, etag);
  assert.notEqual(entry.etag, etag);
  await assert.rejects(registry.replace('a', text, etag), isReason('PreconditionFailed'));
  await stage.write({ [fileOf('a')]: manifest('a', '  # by hand\n') });
  await assert.rejects(
    registry.replace('a', text, entry.etag),
    isReason('PreconditionFailed'),
    'not looked at yet',
  );
  assert.match(await stage.read(fileOf('a')), /by hand/);
  await assert.rejects(registry.replace('b', text, etag), isReason('NotFound'));
});

test('an edit works on the file as it is now, and on one that is not valid as far as that goes', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  await stage.write({ [fileOf('a')]: manifest('a', '  # by hand\n') });
  const entry = await registry.editSpec('a', stop);
  assert.match(entry.text, /by hand/);
  assert.equal(entry.program?.rawSpec.desiredState, 'Stopped');
  await stage.write({ [fileOf('a')]: manifest('a', '  publishPort: x\n') });
  const invalid = await registry.editSpec('a', stop);
  assert.match(invalid.text, /desiredState: Stopped\n[\s\S]*publishPort: x/);
  assert.deepEqual([invalid.program, invalid.asked], [undefined, stop]);
  const torn = 'spec: {userId: u,\n';
  await stage.write({ [fileOf('a')]: torn });
  const unparsed = await registry.editSpec('a', stop);
  assert.deepEqual([unparsed.text, unparsed.asked], [torn, stop]);
  await stage.write({ [fileOf('a')]: manifest('a') });
  await registry.look();
  assert.equal(registry.get('a')?.asked, undefined);
  await assert.rejects(registry.editSpec('b', stop), isReason('NotFound'));
});

test('many edits at once are all made', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  await Promise.all(
    Array.from({ length: 30 }, (_, index) => registry.editSpec('a', { restartedAt: String(index) })),
  );
  await registry.editSpec('a', stop);
  assert.deepEqual(entryOf(registry, 'a').program?.rawSpec, {
    userId: 'u',
    image: 'nginx',
    restartedAt: '29',
    desiredState: 'Stopped',
  });
});

test('mode and owner stay; a link stays a link', async (t) => {
  const stage = await createStage(t, 'a');
  await chmod(stage.path(fileOf('a')), 0o640);
  await chown(stage.path(fileOf('a')), 1234, 2345);
  await stage.write({ 'elsewhere/b': manifest('b') });
  await symlink('../elsewhere/b', stage.path(fileOf('b')));
  const registry = await stage.open();
  await registry.editSpec('a', stop);
  const { mode, uid, gid } = await stat(stage.path(fileOf('a')));
  assert.deepEqual([mode & 0o7777, uid, gid], [0o640, 1234, 2345]);
  await registry.editSpec('b', stop);
  assert.equal((await lstat(stage.path(fileOf('b')))).isSymbolicLink(), true);
  assert.match(await stage.read('elsewhere/b'), /desiredState: Stopped/);
});

test('what is no file can not be edited, and holds nobody up', async (t) => {
  const stage = await createStage(t, 'a');
  await mkdir(stage.path(fileOf('folder')));
  await symlink('/dev/zero', stage.path(fileOf('endless')));
  const registry = await stage.open();
  for (const name of ['folder', 'endless']) {
    assert.match(
      registry.get(name)?.problems[0]?.message ?? '',
      /^the file can not be read: it is not a file$/,
    );
    await assert.rejects(registry.editSpec(name, stop), isReason('RegistryUnavailable'));
    await assert.rejects(
      registry.replace(name, '', registry.get(name)?.etag ?? ''),
      isReason('RegistryUnavailable'),
    );
  }
  await registry.editSpec('a', stop);
  await registry.remove('folder');
  assert.equal(registry.get('folder'), undefined);
});

test('what a foreign writer left right after our own edit is taken up', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  await registry.editSpec('a', stop);
  const ours = await stage.read(fileOf('a'));
  // Of equal length, in place, within the same tick of the clock perhaps.
  await writeFile(stage.path(fileOf('a')), ours.replace('nginx', 'mysql'));
  await registry.look();
  assert.equal(entryOf(registry, 'a').program?.rawSpec.image, 'mysql');
});

test('a listener that throws harms neither the edit nor the others', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  let heard = 0;
  registry.subscribe(() => {
    throw new Error('mine');
  });
  const stopListening = registry.subscribe(() => heard++);
  await registry.editSpec('a', stop);
  await stage.write({ [fileOf('b')]: manifest('b') });
  await registry.look();
  assert.equal(heard, 2);
  assert.equal(registry.get('b')?.name, 'b');
  assert.equal(stage.warnings.filter((warning) => warning.includes('listener')).length, 2);
  stopListening();
  await registry.remove('a');
  assert.equal(heard, 2);
});

test('on a full disk an edit fails with a word, and the old file stands', async (t) => {
  const disk = await smallDisk(t, 256);
  const stage = await createStage(t);
  const registry = await stage.open({ root: disk });
  await registry.create('a', manifest('a'));
  await writeFile(join(disk, 'ballast'), Buffer.alloc(256 * 1024)).catch(() => undefined);
  const big = manifest('a', `  env: {A: "${'x'.repeat(5000)}"}\n`);
  await assert.rejects(
    registry.replace('a', big, entryOf(registry, 'a').etag),
    isReason('RegistryUnavailable'),
  );
  await assert.rejects(registry.create('b', big), isReason('RegistryUnavailable'));
  assert.deepEqual(await readdir(join(disk, 'programs')), ['a.yaml']);
  assert.equal(await readFile(join(disk, 'programs/a.yaml'), 'utf8'), manifest('a'));
  await rm(join(disk, 'ballast'));
  await registry.replace('a', big, entryOf(registry, 'a').etag);
  await registry.close();
});

test('a trash on another file system works too', async (t) => {
  const disk = await smallDisk(t, 256);
  const stage = await createStage(t, 'a', 'b');
  await mkdir(stage.path('data'), { recursive: true });
  await symlink(disk, stage.path('data/trash'));
  const registry = await stage.open();
  await enlist(registry, 'a');
  await registry.remove('a');
  assert.deepEqual(
    (await readdir(disk)).map((name) => name.replace(/\d+/, 'N')),
    ['a.N.yaml'],
  );
  assert.deepEqual(await readdir(stage.path('programs')), ['b.yaml']);
});

test('two that are deleted in the same millisecond both lie in the trash', async (t) => {
  const stage = await createStage(t);
  const at = Date.now();
  stage.clock.nowMs = () => at;
  const registry = await stage.open();
  for (const text of [manifest('a'), manifest('a', '  # second\n')]) {
    await registry.create('a', text);
    await registry.remove('a');
  }
  assert.equal((await readdir(registry.paths.trash)).length, 2);
});

test('what a POST brings: sources and manifest, or neither', async (t) => {
  const stage = await createStage(t, 'taken');
  const registry = await stage.open();
  const files = new Map([['Dockerfile', 'FROM scratch\n']]);
  const entry = await registry.createFromSources('a', { userId: 'u', buildId: 'build-0123456789ab', files });
  assert.deepEqual(entry.program?.rawSpec, {
    userId: 'u',
    desiredState: 'Stopped',
    build: { context: 'sources/build-0123456789ab' },
  });
  await assert.rejects(
    registry.createFromSources('taken', { userId: 'u', buildId: 'build-ba9876543210', files }),
    isReason('Conflict'),
  );
  assert.deepEqual(await readdir(stage.path('sources')), ['build-0123456789ab']);
});

test('programs/ that is away: edits fail with a word, and work again when it is back', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  await rename(stage.path('programs'), stage.path('away'));
  const isAway = (error: unknown) =>
    error instanceof AppError &&
    error.reason === 'RegistryUnavailable' &&
    error.message === 'programs/ can not be read: it is missing';
  await assert.rejects(registry.create('b', manifest('b')), isReason('RegistryUnavailable'));
  for (const edit of [
    () => registry.editSpec('a', stop),
    () => registry.replace('a', manifest('a'), entryOf(registry, 'a').etag),
    () => registry.remove('a'),
  ]) {
    await assert.rejects(edit(), isAway);
  }
  assert.deepEqual(await readdir(registry.paths.trash), [], 'nobody is noted as deleted');
  await rename(stage.path('away'), stage.path('programs'));
  await registry.editSpec('a', stop);
});

test('a file that is missing while that is not believed: edits fail with a word, a DELETE is obeyed', async (t) => {
  const stage = await createStage(t, 'a', 'b');
  const registry = await stage.open();
  await enlist(registry, 'a', 'b');
  await stage.remove(fileOf('a'), fileOf('b'));
  for (const look of [async () => undefined, () => registry.look()]) {
    await look();
    await assert.rejects(
      registry.editSpec('a', stop),
      (error) => isReason('RegistryUnavailable')(error) && /programs\/a\.yaml is missing/.test(String(error)),
    );
    await assert.rejects(registry.editSpec('nobody', stop), isReason('NotFound'));
  }
  await registry.remove('a');
  await assert.rejects(registry.editSpec('a', stop), isReason('NotFound'));
});
