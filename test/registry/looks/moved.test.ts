import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { test } from 'node:test';
import type { Registry } from '../../../registry/registry.ts';
import { createStage, enlist, fileOf, manifest, type RegistryStage, wantedOf } from '../registry-stage.ts';

/** `a.yaml` is called `b.yaml` now, and says `name: a` still. */
async function moved(stage: RegistryStage): Promise<Registry> {
  const registry = await stage.open();
  await enlist(registry, 'a', 'c', 'd');
  await rename(stage.path(fileOf('a')), stage.path(fileOf('b')));
  await seen(stage, registry);
  return registry;
}

async function seen({ clock }: RegistryStage, registry: Registry): Promise<void> {
  await registry.look();
  await clock.advance(1_000);
  await registry.look();
}

test('a file that was only moved deletes nothing, and it is told what to do', async (t) => {
  const stage = await createStage(t, 'a', 'c', 'd');
  const registry = await moved(stage);
  const wanted = registry.wanted('a');
  assert.ok(wanted.kind === 'unknown');
  assert.match(
    wanted.why ?? '',
    /^programs\/a\.yaml is gone, and programs\/b\.yaml says metadata\.name: a: /,
  );
  assert.match(
    wanted.why ?? '',
    /write metadata\.name: b there .*, move the file back .*, or DELETE \/programs\/a/,
  );
  assert.deepEqual(registry.health().warnings, [wanted.why]);
  assert.deepEqual([registry.missing(), registry.health().paused], [['a'], []]);
});

test('the next host deletes it no more than the one before', async (t) => {
  const stage = await createStage(t, 'a', 'c', 'd');
  await (await moved(stage)).close();
  const next = await stage.open();
  await seen(stage, next);
  assert.equal(wantedOf(next, 'a'), 'unknown');
});

test('what was moved is renamed once it says so, comes back once it lies where it did, and can be pruned', async (t) => {
  const stage = await createStage(t, 'a', 'c', 'd');
  const registry = await moved(stage);
  await stage.write({ [fileOf('b')]: manifest('b') });
  await seen(stage, registry);
  assert.equal(wantedOf(registry, 'a', 'b'), 'gone present');
  assert.deepEqual(registry.health().warnings, []);

  await rename(stage.path(fileOf('c')), stage.path(fileOf('x')));
  await seen(stage, registry);
  assert.equal(wantedOf(registry, 'c'), 'unknown');
  await rename(stage.path(fileOf('x')), stage.path(fileOf('c')));
  await seen(stage, registry);
  assert.equal(wantedOf(registry, 'c'), 'present');

  await rename(stage.path(fileOf('d')), stage.path(fileOf('y')));
  await seen(stage, registry);
  assert.deepEqual(await registry.confirmPrune(), ['d']);
  assert.equal(wantedOf(registry, 'd'), 'gone');
});

test('a DELETE of what was moved is obeyed', async (t) => {
  const stage = await createStage(t, 'a', 'c', 'd');
  const registry = await moved(stage);
  await registry.remove('a');
  await registry.look();
  assert.equal(wantedOf(registry, 'a'), 'gone');
});
