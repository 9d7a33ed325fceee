import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { pruningPauses } from '../../../registry/looks/pruning-pauses.ts';
import type { Registry } from '../../../registry/registry.ts';
import { AppError } from '../../../schemas/errors.ts';
import { emptyStatus } from '../../../schemas/status.ts';
import { createStage, enlist, fileOf, manifest, wantedOf } from '../registry-stage.ts';

test('a file that is gone is believed gone after a complete look half a second later', async (t) => {
  const stage = await createStage(t, 'a', 'b', 'c');
  const registry = await stage.open();
  await enlist(registry, 'a', 'b', 'c');
  await stage.remove(fileOf('a'));
  assert.equal(wantedOf(registry, 'a'), 'present', 'not looked yet');
  await registry.look();
  assert.equal(wantedOf(registry, 'a', 'b', 'c'), 'unknown present present');
  assert.deepEqual(registry.missing(), ['a']);
  await stage.clock.advance(499);
  await registry.look();
  assert.equal(wantedOf(registry, 'a'), 'unknown');
  await stage.clock.advance(1);
  await registry.look();
  assert.equal(wantedOf(registry, 'a'), 'gone');
  await registry.status.remove('a');
  await registry.look();
  assert.equal(wantedOf(registry, 'a'), 'unknown', 'nothing is known of it any more');
  assert.deepEqual(registry.missing(), []);
});

test('time alone believes nothing: the file may be back, and nobody looked', async (t) => {
  const stage = await createStage(t, 'a', 'b', 'c');
  const registry = await stage.open();
  await enlist(registry, 'a', 'b', 'c');
  await stage.remove(fileOf('a'));
  await registry.look();
  await stage.write({ [fileOf('a')]: manifest('a') });
  // A clock that jumps without any timer firing.
  const jumped = stage.clock.monotonic() + 10_000;
  stage.clock.monotonic = () => jumped;
  assert.equal(wantedOf(registry, 'a'), 'unknown');
  await registry.look();
  assert.equal(wantedOf(registry, 'a'), 'present');
});

test('the look that believes comes by itself, and tells of it', async (t) => {
  const stage = await createStage(t, 'a', 'b', 'c');
  const registry = await stage.open();
  await enlist(registry, 'a', 'b', 'c');
  await stage.remove(fileOf('a'));
  await registry.look();
  const told = new Promise<void>((resolve) => {
    registry.subscribe(({ names }) => {
      if (names.includes('a') && registry.wanted('a').kind === 'gone') resolve();
    });
  });
  await stage.clock.advance(500);
  await told;
});

test('programs/ that is missing, or no folder, says nothing', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  await enlist(registry, 'a');
  await rename(stage.path('programs'), stage.path('elsewhere'));
  for (let count = 0; count < 3; count++) {
    await registry.look();
    await stage.clock.advance(1000);
  }
  assert.equal(wantedOf(registry, 'a'), 'present');
  assert.equal(registry.health().message, 'programs/ can not be read: it is missing');
  assert.equal(stage.warnings.length, 1, 'said once');
  await assert.rejects(registry.confirmPrune(), AppError);
  await stage.write({ programs: 'a file' });
  await registry.look();
  assert.notEqual(registry.health().message, '');
  await rm(stage.path('programs'));
  await rename(stage.path('elsewhere'), stage.path('programs'));
  await registry.look();
  assert.deepEqual(registry.health(), {
    scanned: true,
    message: '',
    paused: [],
    moved: [],
    unwritable: [],
    warnings: [],
  });
  assert.equal(wantedOf(registry, 'a'), 'present');
});

test('a registry that was in use does not get an empty programs/ at the start', async (t) => {
  const stage = await createStage(t, 'a');
  await enlist(await stage.open(), 'a');
  await stage.remove('programs');
  const registry = await stage.open();
  assert.equal(registry.health().scanned, false);
  assert.deepEqual((await readdir(stage.root)).includes('programs'), false);
  await stage.clock.advance(5000);
  assert.equal(wantedOf(registry, 'a'), 'unknown');
  await stage.write({ [fileOf('a')]: manifest('a') });
  await registry.look();
  assert.equal(registry.health().scanned, true);
  assert.equal(wantedOf(registry, 'a'), 'present');
});

test('which absences are not believed', () => {
  for (const [known, missing, pauses] of [
    [1, 1, false],
    [2, 1, false],
    [2, 2, true],
    [3, 2, false],
    [3, 3, true],
    [4, 2, false],
    [4, 3, true],
    [5, 3, true],
    [6, 3, false],
    [100, 50, false],
    [100, 51, true],
    [0, 0, false],
  ] as const) {
    assert.equal(pruningPauses(known, missing), pauses, `${missing} of ${known}`);
  }
});

/** Goes on until all that could be believed is. */
async function settle(registry: Registry, advance: (ms: number) => Promise<void>): Promise<void> {
  await registry.look();
  await advance(600);
  await registry.look();
}

test('when all of two are gone, nothing is removed until somebody confirms', async (t) => {
  const stage = await createStage(t, 'a', 'b');
  const registry = await stage.open();
  await enlist(registry, 'a', 'b');
  await stage.remove(fileOf('a'), fileOf('b'));
  await settle(registry, stage.clock.advance);
  assert.equal(wantedOf(registry, 'a', 'b'), 'unknown unknown');
  assert.deepEqual(registry.health().paused, ['a', 'b']);
  assert.equal(stage.warnings.filter((warning) => warning.includes('most manifests are gone')).length, 1);
  const told: string[] = [];
  registry.subscribe(({ names }) => told.push(...names));
  assert.deepEqual(await registry.confirmPrune(), ['a', 'b']);
  assert.deepEqual(told.slice(-2), ['a', 'b']);
  assert.equal(wantedOf(registry, 'a', 'b'), 'gone gone');
  assert.deepEqual(registry.health().paused, []);
  assert.deepEqual(await registry.confirmPrune(), []);
});

test('a confirmation is remembered by the next host', async (t) => {
  const stage = await createStage(t, 'a', 'b');
  const first = await stage.open();
  await enlist(first, 'a', 'b');
  await stage.remove(fileOf('a'), fileOf('b'));
  await settle(first, stage.clock.advance);
  await first.confirmPrune();
  await first.close();
  const second = await stage.open();
  assert.equal(wantedOf(second, 'a', 'b'), 'gone gone');
});

test('a restart does not make absence believable', async (t) => {
  const stage = await createStage(t, 'a', 'b', 'c', 'd');
  const first = await stage.open();
  await enlist(first, 'a', 'b', 'c', 'd');
  await first.close();
  await stage.remove(fileOf('a'), fileOf('b'), fileOf('c'));
  const second = await stage.open();
  assert.equal(wantedOf(second, 'a', 'b', 'c', 'd'), 'unknown unknown unknown present');
  await settle(second, stage.clock.advance);
  assert.deepEqual(second.health().paused, ['a', 'b', 'c']);
});

test('what is not believed is not either because other programs came, nor for the next host', async (t) => {
  const stage = await createStage(t, 'a', 'b');
  const first = await stage.open();
  await enlist(first, 'a', 'b');
  await stage.remove(fileOf('a'), fileOf('b'));
  await settle(first, stage.clock.advance);
  for (const name of ['c', 'd', 'e']) {
    await first.create(name, manifest(name));
    await enlist(first, name);
    await settle(first, stage.clock.advance);
    assert.equal(wantedOf(first, 'a', 'b'), 'unknown unknown', `beside ${name}`);
  }
  await first.close();
  const second = await stage.open();
  await settle(second, stage.clock.advance);
  assert.equal(wantedOf(second, 'a', 'b', 'c'), 'unknown unknown present');
  assert.deepEqual(second.health().paused, ['a', 'b']);
  await stage.write({ [fileOf('a')]: manifest('a') });
  await settle(second, stage.clock.advance);
  assert.equal(wantedOf(second, 'a', 'b'), 'present unknown');
  await stage.remove(fileOf('a'));
  await settle(second, stage.clock.advance);
  assert.equal(wantedOf(second, 'a', 'b'), 'gone unknown', 'what came back is believed as any other');
  await second.confirmPrune();
  assert.equal(wantedOf(second, 'a', 'b'), 'gone gone');
});

test('one of one is believed, and so is a part', async (t) => {
  const one = await createStage(t, 'a');
  const first = await one.open();
  await enlist(first, 'a');
  await one.remove(fileOf('a'));
  await settle(first, one.clock.advance);
  assert.equal(wantedOf(first, 'a'), 'gone');
  const six = await createStage(t, 'a', 'b', 'c', 'd', 'e', 'f');
  const second = await six.open();
  await enlist(second, 'a', 'b', 'c', 'd', 'e', 'f');
  await six.remove(fileOf('a'), fileOf('b'), fileOf('c'));
  await settle(second, six.clock.advance);
  assert.equal(wantedOf(second, 'a', 'b', 'c', 'd'), 'gone gone gone present');
});

test('while a checkout brings files back one by one, those that are still missing are not believed gone', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const stage = await createStage(t, ...names);
  const registry = await stage.open();
  await enlist(registry, ...names);
  await stage.remove(...names.map(fileOf));
  await settle(registry, stage.clock.advance);
  assert.equal(registry.health().paused.length, 6);
  for (const name of names) {
    await stage.write({ [fileOf(name)]: manifest(name) });
    await registry.look();
    for (const other of names)
      assert.notEqual(registry.wanted(other).kind, 'gone', `${other} when ${name} is back`);
    await stage.clock.advance(300);
  }
  assert.equal(wantedOf(registry, ...names), 'present present present present present present');
  assert.deepEqual(registry.health().paused, []);
});

test('a folder that is emptied slowly is not believed for its first half', async (t) => {
  const names = Array.from({ length: 10 }, (_, at) => `p${at}`);
  const stage = await createStage(t, ...names);
  const registry = await stage.open();
  await enlist(registry, ...names);
  for (const name of names) {
    await stage.remove(fileOf(name));
    await registry.look();
    for (const other of names) assert.notEqual(registry.wanted(other).kind, 'gone', `${other} after ${name}`);
    await stage.clock.advance(400);
  }
  await settle(registry, stage.clock.advance);
  assert.deepEqual(registry.health().paused, names);
});

test('single deletions that go on and on are believed in the end', async (t) => {
  const names = Array.from({ length: 60 }, (_, at) => `p${at}`);
  const stage = await createStage(t, ...names);
  const registry = await stage.open();
  await enlist(registry, ...names);
  const startedMs = stage.clock.monotonic();
  let tookMs = 0;
  for (const name of names.slice(0, 25)) {
    await stage.remove(fileOf(name));
    await registry.look();
    await stage.clock.advance(400);
    await registry.look();
    if (tookMs === 0 && wantedOf(registry, 'p0') === 'gone') tookMs = stage.clock.monotonic() - startedMs;
  }
  assert.ok(tookMs >= 5_000 && tookMs <= 6_000, `${tookMs} ms`);
});

test('DELETE is a stated wish: obeyed at once, whatever else is missing', async (t) => {
  const stage = await createStage(t, 'a', 'b');
  const registry = await stage.open();
  await enlist(registry, 'a', 'b');
  await registry.remove('a');
  assert.equal(wantedOf(registry, 'a', 'b'), 'gone present');
  assert.equal(registry.get('a'), undefined);
  const [file] = await readdir(registry.paths.trash);
  assert.match(file ?? '', /^a\.\d+\.yaml$/);
  assert.equal(await stage.read(`data/trash/${file}`), manifest('a'));
  await registry.remove('b');
  assert.equal(wantedOf(registry, 'a', 'b'), 'gone gone');
  assert.deepEqual(registry.health().paused, []);
  await assert.rejects(
    registry.remove('a'),
    (error) => error instanceof AppError && error.reason === 'NotFound',
  );
  await assert.rejects(
    registry.remove('nobody'),
    (error) => error instanceof AppError && error.reason === 'NotFound',
  );
  await rename(stage.path('programs'), stage.path('away'));
  await registry.look();
  assert.equal(wantedOf(registry, 'a'), 'gone', 'also while programs/ is away');
});

test('a DELETE is remembered by the next host, also of a program whose manifest was missing', async (t) => {
  const stage = await createStage(t, 'a', 'b', 'c');
  const first = await stage.open();
  await enlist(first, 'a', 'b', 'c');
  await stage.remove(fileOf('a'), fileOf('b'), fileOf('c'));
  await first.look();
  await first.remove('a');
  await first.close();
  const second = await stage.open();
  assert.equal(wantedOf(second, 'a', 'b', 'c'), 'gone unknown unknown');
});

test('a wish that was taken back by writing the manifest again is no wish later', async (t) => {
  for (const again of ['by a call', 'by hand', 'while no host ran']) {
    const stage = await createStage(t, 'a', 'b', 'c');
    let registry = await stage.open();
    await enlist(registry, 'a', 'b', 'c');
    await registry.remove('a');
    if (again === 'by a call') await registry.create('a', manifest('a'));
    if (again === 'while no host ran') await registry.close();
    if (again !== 'by a call') await stage.write({ [fileOf('a')]: manifest('a') });
    if (again === 'while no host ran') registry = await stage.open();
    await registry.look();
    assert.equal(wantedOf(registry, 'a'), 'present', again);
    await registry.close();
    // Now the disk is gone, and nobody wished for that.
    await stage.remove('programs');
    await mkdir(stage.path('programs'));
    const next = await stage.open();
    await settle(next, stage.clock.advance);
    assert.equal(wantedOf(next, 'a', 'b', 'c'), 'unknown unknown unknown', again);
  }
});

test('a manifest that a program is just being made for is not missing', async (t) => {
  const stage = await createStage(t);
  const registry = await stage.open();
  const end = registry.announce('new');
  await registry.status.put(emptyStatus('new', 0));
  await registry.look();
  await stage.clock.advance(600);
  await registry.look();
  assert.equal(wantedOf(registry, 'new'), 'unknown');
  assert.deepEqual(registry.missing(), []);
  end();
  await registry.look();
  assert.equal(wantedOf(registry, 'new'), 'gone', 'nothing was made of it that could be lost');
});

test('ledgers of calls that were killed before the manifest was written are let go, and hide nothing', async (t) => {
  const stage = await createStage(t, 'a', 'b');
  const first = await stage.open();
  for (const name of ['x', 'y', 'z']) await first.status.put(emptyStatus(name, 0));
  await first.close();
  await stage.remove(fileOf('a'), fileOf('b'));
  const alone = await stage.open();
  assert.equal(wantedOf(alone, 'x', 'y', 'z'), 'gone gone gone');
  assert.deepEqual(alone.health().paused, []);
  await enlist(alone, 'a', 'b');
  await alone.status.put({
    ...emptyStatus('z', 0),
    containerId: 'of a program whose manifest was never valid',
  });
  await settle(alone, stage.clock.advance);
  assert.deepEqual(alone.health().paused, ['a', 'b', 'z']);
});
