import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { acquireLock, type LockOwner } from '../../../registry/records/lock.ts';
import { AppError } from '../../../schemas/errors.ts';
import { smallDisk } from '../disk.ts';
import { tempFolder } from '../folder.ts';

const take = (path: string, about = 'me') => acquireLock(path, 'the registry /srv/r', about);
const isTaken = (about: string) => (error: unknown) =>
  error instanceof AppError && error.reason === 'Conflict' && error.message.includes(about);

async function ownerOf(path: string): Promise<LockOwner> {
  return JSON.parse(await readFile(path, 'utf8')) as LockOwner;
}

test('a lock that is held names its owner', async (t) => {
  const path = join(await tempFolder(t), 'host.lock');
  const lock = await take(path, 'registry /srv/r, instance default');
  await assert.rejects(
    take(path),
    (error) =>
      error instanceof AppError &&
      error.message ===
        `the registry /srv/r is in use by process ${process.pid} (registry /srv/r, instance default)` &&
      error.hint !== undefined,
  );
  await lock.release();
  await (await take(path)).release();
  await lock.release();
});

test('a lock holds though its file is removed, with the folder it lies in', async (t) => {
  const folder = join(await tempFolder(t), 'locks');
  const path = join(folder, 'host.lock');
  await mkdir(folder);
  const lock = await take(path);
  await rm(folder, { recursive: true });
  await mkdir(folder);
  await assert.rejects(take(path), isTaken('is in use by another process'));
  assert.deepEqual(await readdir(folder), []);
  await lock.release();
  await (await take(path)).release();
});

test('a lock is taken where there is no room for its file, and holds', async (t) => {
  const folder = await smallDisk(t, 64);
  const path = join(folder, 'host.lock');
  await writeFile(join(folder, 'filler'), Buffer.alloc(256 * 1024)).catch(() => undefined);
  await assert.rejects(writeFile(join(folder, 'more'), 'more'), { code: 'ENOSPC' });
  const lock = await take(path);
  await assert.rejects(take(path), isTaken('is in use'));
  await lock.release();
  await (await take(path)).release();
});

test('releasing a lock twice does not take it from the next owner', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'host.lock');
  const first = await take(path);
  await first.release();
  const second = await take(path);
  await first.release();
  await assert.rejects(take(path), isTaken('me'));
  await second.release();
  assert.deepEqual(await readdir(folder), []);
});

test('the lock of a dead process is taken over', async (t) => {
  const path = join(await tempFolder(t), 'host.lock');
  const child = spawn('true');
  await once(child, 'exit');
  const lock = await take(path);
  const mine = await ownerOf(path);
  await lock.release();
  await writeFile(path, JSON.stringify({ ...mine, pid: child.pid }));
  await (await take(path)).release();
});

test('a pid that is in use again is not the owner, nor is one from before the last boot', async (t) => {
  const path = join(await tempFolder(t), 'host.lock');
  const lock = await take(path);
  const mine = await ownerOf(path);
  await lock.release();
  for (const other of [
    { startTime: '1' },
    { bootId: 'another' },
    { pid: -1 },
    { pid: 0 },
    { pid: 1.5 },
    { pid: 'x' },
  ]) {
    await writeFile(path, JSON.stringify({ ...mine, ...other }));
    const next = await take(path);
    assert.equal((await ownerOf(path)).pid, process.pid);
    await next.release();
  }
  await writeFile(path, JSON.stringify(mine));
  await assert.rejects(take(path), isTaken('me'), 'this one is alive');
});

test('a lock that can not be read is taken over', async (t) => {
  const path = join(await tempFolder(t), 'host.lock');
  for (const text of ['', '{', 'null', '[]', '\0\0\0', '{"pid":1}']) {
    await writeFile(path, text);
    await (await take(path)).release();
  }
});

test('a lock where there is no folder, or a folder instead of a lock, is an error and no lock', async (t) => {
  const folder = await tempFolder(t);
  await assert.rejects(take(join(folder, 'no', 'host.lock')), { code: 'ENOENT' });
  await mkdir(join(folder, 'host.lock'));
  await assert.rejects(take(join(folder, 'host.lock')));
});

test('of many in one process that race for a stale lock, exactly one wins', async (t) => {
  const path = join(await tempFolder(t), 'host.lock');
  for (let round = 0; round < 5; round++) {
    await writeFile(path, 'stale');
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => take(path)));
    const locks = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    assert.equal(locks.length, 1);
    await locks[0]?.release();
  }
});
