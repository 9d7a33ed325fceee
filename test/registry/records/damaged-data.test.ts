import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLeftovers } from '../../../registry/records/leftovers.ts';
import { AppError } from '../../../schemas/errors.ts';
import type { ProgramEvent } from '../../../schemas/program.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import type { Revision } from '../../../schemas/revision.ts';
import { createStage } from '../registry-stage.ts';

const EVENT: ProgramEvent = {
  time: '',
  type: 'Normal',
  reason: 'X',
  message: '',
  state: 'Ready',
  revision: 1,
};
const BUILD = 'build-0123456789ab';
const rawSpec = { userId: 'u', image: 'nginx' };
const REVISION: Revision = {
  ...{
    number: 1,
    hash: 'h',
    createdAt: '',
    commit: '',
    buildId: '',
    buildHash: '',
    imageId: '',
    message: '',
  },
  ...{ spec: resolveSpec(rawSpec, 'runc'), rawSpec, author: 'u', outcome: 'Ready' },
};

const isUnavailable = (error: unknown) =>
  error instanceof AppError && error.reason === 'RegistryUnavailable' && /^data\//.test(error.message);

for (const [what, put] of [
  ['a link in a circle', (path: string) => symlink(path, path)],
  ['a folder', (path: string) => mkdir(path)],
  ['a pipe', async (path: string) => void execFileSync('mkfifo', [path])],
] as const) {
  test(`${what} where a file of data/ should be is told in words, held up by nobody, and over when it is gone`, async (t) => {
    const stage = await createStage(t, 'a');
    const paths = [`events/a.ndjson`, `builds/${BUILD}.log`, 'revisions/a/1.yaml'].map((name) =>
      stage.path(`data/${name}`),
    );
    await stage.open();
    await mkdir(stage.path('data/revisions/a'));
    for (const path of [...paths, stage.path('data/trash/a.1.volume.json'), stage.path('data/unused.json')])
      await put(path);
    const registry = await stage.open();
    await registry.events.append('a', EVENT);
    await assert.rejects(registry.events.list('a'), isUnavailable);
    const log = registry.buildLogs.start(BUILD);
    log.write('text');
    await log.end();
    await assert.rejects(registry.buildLogs.read(BUILD), isUnavailable);
    for await (const _ of registry.buildLogs.follow(BUILD, AbortSignal.timeout(120_000)))
      assert.fail('nothing');
    assert.equal(await registry.revisions.get('a', 1), undefined);
    assert.deepEqual(await registry.revisions.list('a'), []);
    const leftovers = openLeftovers(registry.paths);
    assert.equal((await leftovers.readUnused()).size, 0);
    assert.ok((await leftovers.list()).some(({ key }) => key === 'data/trash/a.1.volume.json'));
    for (const path of paths) await rm(path, { recursive: true });
    await registry.events.append('a', EVENT);
    assert.equal((await registry.events.list('a')).length, 2);
  });
}

test('a file where the revisions of a program should lie is told in words', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  await writeFile(stage.path('data/revisions/a'), '');
  await assert.rejects(registry.revisions.list('a'), isUnavailable);
  await assert.rejects(registry.revisions.put('a', REVISION), isUnavailable);
  await registry.revisions.remove('a');
  await registry.revisions.put('a', REVISION);
  await rm(registry.paths.trash, { recursive: true });
  await writeFile(registry.paths.trash, '');
  await assert.rejects(registry.trashVolume({ name: 'a', volume: 'volume', userId: 'u' }), isUnavailable);
});

test('a pipe in the place of a lock or a .gitignore keeps no host from starting', async (t) => {
  const stage = await createStage(t, 'a');
  await stage.open();
  const path = join(stage.root, 'data/.gitignore');
  await rm(path);
  execFileSync('mkfifo', [path]);
  await stage.open();
  assert.equal(await stage.read('data/.gitignore'), '*\n');
  const { acquireLock } = await import('../../../registry/records/lock.ts');
  const lock = stage.path('data/locks/host.lock');
  execFileSync('mkfifo', [lock]);
  await (await acquireLock(lock, 'it', 'me')).release();
});
