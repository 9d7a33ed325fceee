import assert from 'node:assert/strict';
import { rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../folder.ts';
import { createStage, fileOf, manifest } from '../registry-stage.ts';

/** More manifests than are looked at each time without a hint. */
const MANY = 2_001;
const LOOK_MS = 10_000;
/** So often all are looked at, however many there are. */
const ALL_MS = 60_000;

/** A registry whose hints the test gives. */
async function open(t: TestContext, ...programs: string[]) {
  const stage = await createStage(t, ...programs);
  let hint = (_: ReadonlySet<string>): void => assert.fail('it is not watched');
  const registry = await stage.open({
    watchFiles: (_root, _ignored, _clock, onHint) => {
      hint = onHint;
      return { refresh: async () => undefined, close: async () => undefined };
    },
  });
  const told: string[] = [];
  registry.subscribe(({ names }) => void told.push(...names));
  const userOf = (name: string) => registry.get(name)?.program?.rawSpec.userId;
  return { ...stage, registry, told, userOf, hint: (...paths: string[]) => hint(new Set(paths)) };
}

const text = (name: string, user: string) => manifest(name).replace(/userId: .*/, `userId: ${user}`);

describe('a hint of one manifest', () => {
  for (const [what, change] of Object.entries({
    'written in place': (path: string, after: string) => writeFile(path, after),
    async replaced(path: string, after: string) {
      await writeFile(`${path}.new`, after);
      await rename(`${path}.new`, path);
    },
    async 'of the same size and time'(path: string, after: string) {
      const { atime, mtime, size } = await stat(path);
      await writeFile(path, after);
      await utimes(path, atime, mtime);
      assert.equal((await stat(path)).size, size);
    },
  }))
    it(`finds one that was ${what}`, async (t) => {
      const { root, userOf, hint, registry } = await open(t, 'a', 'b');
      const user = 'x'.repeat(String(userOf('a')).length);
      await change(join(root, fileOf('a')), text('a', user));
      hint('programs/a.yaml');
      await until('it is taken in', () => userOf('a') === user);
      assert.ok(registry.health().scanned);
    });

  it('looks at that one alone, and at the others when they are due', async (t) => {
    const { root, userOf, hint, clock } = await open(t, 'a', 'b');
    for (const name of ['a', 'b']) await writeFile(join(root, fileOf(name)), text(name, 'somebody'));
    hint('programs/a.yaml');
    await until('it is taken in', () => userOf('a') === 'somebody');
    assert.notEqual(userOf('b'), 'somebody');
    // Hints that keep coming do not put it off.
    for (let half = 0; half < 2; half++) {
      await clock.advance(LOOK_MS / 2);
      hint('programs/a.yaml');
    }
    await until('the other is, too', () => userOf('b') === 'somebody');
  });

  it('finds that it came, and that it is gone', async (t) => {
    const { root, hint, registry, told, clock } = await open(t, 'a', 'b');
    await writeFile(join(root, fileOf('new')), manifest('new'));
    hint('programs/new.yaml');
    await until('it is known', () => registry.get('new') !== undefined);
    await rm(join(root, fileOf('new')));
    hint('programs/new.yaml');
    await until('it is not', () => registry.get('new') === undefined);
    await clock.advance(LOOK_MS);
    assert.ok(told.includes('new'));
    assert.ok(registry.get('a') !== undefined);
  });

  it('that only touched it is no news; of something that is no manifest, all are looked at', async (t) => {
    const { root, hint, told, userOf, registry } = await open(t, 'a', 'b');
    const now = new Date();
    await utimes(join(root, fileOf('a')), now, now);
    await writeFile(join(root, fileOf('b')), text('b', 'somebody'));
    hint('programs/a.yaml', 'programs/not a name.yaml');
    await until('it has looked', () => userOf('b') === 'somebody');
    await registry.look();
    assert.deepEqual(told, ['b']);
  });

  it('of one that is still being written is come back to', async (t) => {
    const { root, hint, userOf, clock } = await open(t, 'a');
    clock.nowMs = () => Date.now();
    await writeFile(join(root, fileOf('a')), text('a', 'somebody'));
    const { ctimeMs } = await stat(join(root, fileOf('a')));
    clock.nowMs = () => ctimeMs + 1;
    hint('programs/a.yaml');
    await until('it waits', () => clock.nextAt() !== undefined && (clock.nextAt() ?? 0) < LOOK_MS);
    assert.notEqual(userOf('a'), 'somebody');
    clock.nowMs = () => ctimeMs + LOOK_MS;
    await clock.advance(LOOK_MS / 100);
    await until('it is taken in', () => userOf('a') === 'somebody');
  });
});

describe('beside thousands of manifests, what nothing hinted at', () => {
  it('is found within a minute when it was written in place, and at the next look when it came', async (t) => {
    const names = Array.from({ length: MANY }, (_, nth) => `p${nth}`);
    const { root, userOf, clock, registry } = await open(t, ...names);
    const last = names.at(-1) ?? '';
    await writeFile(join(root, fileOf(last)), text(last, 'somebody'));
    for (let ms = 0; ms < ALL_MS && userOf(last) !== 'somebody'; ms += LOOK_MS) {
      await clock.advance(LOOK_MS);
      await until('it has looked', () => clock.nextAt() !== undefined);
    }
    assert.equal(userOf(last), 'somebody');
    await writeFile(join(root, fileOf('came')), manifest('came'));
    await clock.advance(LOOK_MS);
    await until('it is known', () => registry.get('came') !== undefined);
  });
});
