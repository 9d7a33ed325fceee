import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { moveFile, writeAtomic } from '../../../registry/files/atomic-write.ts';
import { mapLimit } from '../../../registry/files/map-limit.ts';
import { smallDisk } from '../disk.ts';
import { tempFolder } from '../folder.ts';

test('a file is replaced whole; readers see the old or the new', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'f');
  const texts = ['a', 'b'].map((char) => char.repeat(200_000));
  await writeAtomic(path, texts[0] ?? '');
  let done = false;
  const writer = (async () => {
    for (let index = 0; index < 60; index++)
      await writeAtomic(path, texts[index % 2] ?? '', { durable: false });
    done = true;
  })();
  while (!done) assert.ok(texts.includes(await readFile(path, 'utf8')));
  await writer;
  assert.deepEqual(await readdir(folder), ['f']);
});

test('a new file has the mode asked for, an old one keeps its own and its owner', async (t) => {
  const path = join(await tempFolder(t), 'f');
  await writeAtomic(path, 'a', { mode: 0o600 });
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await chmod(path, 0o755);
  await chown(path, 1111, 2222);
  await writeAtomic(path, 'b', { mode: 0o600 });
  const { mode, uid, gid } = await stat(path);
  assert.deepEqual([mode & 0o777, uid, gid], [0o755, 1111, 2222]);
});

test('given up before the rename, or refused, nothing changes and nothing is left', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'f');
  await writeFile(path, 'old');
  const giveUp = () => {
    throw new Error('no');
  };
  await assert.rejects(writeAtomic(path, 'new', { beforeRename: giveUp }), /no/);
  await assert.rejects(writeAtomic(path, 'new', { exclusive: true }), { code: 'EEXIST' });
  await mkdir(join(folder, 'd/inner'), { recursive: true });
  await assert.rejects(writeAtomic(join(folder, 'd'), 'new'));
  await assert.rejects(writeAtomic(join(folder, 'no/f'), 'new'), { code: 'ENOENT' });
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual((await readdir(folder)).sort(), ['d', 'f']);
});

test('of many exclusive writers one wins', async (t) => {
  const path = join(await tempFolder(t), 'f');
  const tries = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => writeAtomic(path, String(index), { exclusive: true })),
  );
  assert.deepEqual(
    tries.flatMap(({ status }, index) => (status === 'fulfilled' ? [String(index)] : [])),
    [await readFile(path, 'utf8')],
  );
});

test('long names have room for the temporary one', async (t) => {
  const path = join(await tempFolder(t), `${'n'.repeat(250)}.yml`);
  await writeAtomic(path, 'x');
  assert.equal(await readFile(path, 'utf8'), 'x');
});

test('a file is moved to another file system', async (t) => {
  const folder = await tempFolder(t);
  const disk = await smallDisk(t, 64);
  await writeFile(join(folder, 'f'), 'x');
  await moveFile(join(folder, 'f'), join(disk, 'f'), (path) => readFile(path));
  assert.equal(await readFile(join(disk, 'f'), 'utf8'), 'x');
  assert.deepEqual(await readdir(folder), []);
  await writeFile(join(folder, 'big'), Buffer.alloc(200_000));
  await assert.rejects(
    moveFile(join(folder, 'big'), join(disk, 'big'), (path) => readFile(path)),
    { code: 'ENOSPC' },
  );
  assert.deepEqual(await readdir(folder), ['big'], 'what can not be moved stays');
  assert.deepEqual(await readdir(disk), ['f']);
});

test('work with a limit keeps to it, and to the order', async () => {
  let running = 0;
  let most = 0;
  const results = await mapLimit(
    Array.from({ length: 50 }, (_, index) => index),
    7,
    async (index) => {
      most = Math.max(most, ++running);
      for (let turn = 0; turn < (index * 7) % 5; turn++) await Promise.resolve();
      running--;
      return index * 2;
    },
  );
  assert.equal(most, 7);
  assert.deepEqual(
    results,
    Array.from({ length: 50 }, (_, index) => index * 2),
  );
  assert.deepEqual(await mapLimit([], 7, async () => 1), []);
  await assert.rejects(
    mapLimit([1, 2, 3], 2, async () => Promise.reject(new Error('no'))),
    /no/,
  );
});
