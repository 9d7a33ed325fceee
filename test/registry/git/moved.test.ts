import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileOf } from '../registry-stage.ts';
import { createGitStage, enlist, imageManifest } from './stage.ts';

test('a commit that only moves the file is no wish to be rid of the program', async (t) => {
  const stage = await createGitStage(t);
  for (const name of ['a', 'c', 'd']) await stage.write(fileOf(name), imageManifest(name));
  await stage.commitAll('three programs');
  const registry = await stage.open();
  for (const name of ['a', 'c', 'd']) await enlist(registry, name);
  await stage.git('mv', fileOf('a'), fileOf('b'));
  await stage.git('commit', '-q', '-m', 'moved');
  await stage.until(() => registry.get('b') !== undefined);
  await stage.pass(2_000);
  await registry.look();
  assert.equal(registry.wanted('a').kind, 'unknown');
  await stage.write(fileOf('b'), imageManifest('b'));
  await stage.commitAll('and renamed');
  await stage.until(() => registry.wanted('a').kind === 'gone');
});
