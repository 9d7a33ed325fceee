import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { watchRegistry } from '../../registry/looks/watch.ts';
import type { Registry } from '../../registry/registry.ts';
import { systemClock } from '../../schemas/clock.ts';
import { AppError } from '../../schemas/errors.ts';
import { withMount } from './disk.ts';
import { until } from './folder.ts';
import { createStage, enlist, fileOf, manifest, wantedOf } from './registry-stage.ts';

const names = (registry: Registry) => registry.list().map(({ name }) => name);

test('an empty folder becomes a registry', async (t) => {
  const stage = await createStage(t);
  await stage.remove('programs');
  const registry = await stage.open();
  assert.deepEqual((await readdir(stage.root)).sort(), ['data', 'programs', 'sources', 'status']);
  assert.deepEqual((await readdir(registry.paths.data)).sort(), [
    '.gitignore',
    'build-history',
    'builds',
    'contexts',
    'events',
    'locks',
    'revisions',
    'trash',
    'usage',
  ]);
  for (const folder of ['status', 'data']) {
    assert.equal((await stat(stage.path(folder))).mode & 0o777, 0o700);
    assert.equal(await stage.read(`${folder}/.gitignore`), '*\n');
  }
  assert.deepEqual(registry.health(), {
    scanned: true,
    message: '',
    paused: [],
    moved: [],
    unwritable: [],
    warnings: [],
  });
});

test('a start mends what is its own: modes, .gitignore, temporary files of a host that was killed', async (t) => {
  const stage = await createStage(t, 'a');
  const temporary = [
    'programs',
    'sources',
    'status',
    'data',
    'data/contexts',
    'data/events',
    'data/usage',
    'data/trash',
    'data/revisions/a',
  ].map((folder) => `${folder}/.hersh-tmp-0a1b2c`);
  await stage.write(Object.fromEntries(temporary.map((name) => [name, 'half'])));
  await stage.write({
    'sources/.hersh-tmp-3d4e5f/src/a': 'half',
    'status/.gitignore': 'damaged\0',
    'data/.gitignore': '*\n',
  });
  await utimes(stage.path('data/.gitignore'), 1, 1);
  const registry = await stage.open();
  for (const folder of [
    'programs',
    'sources',
    'status',
    'data',
    'data/contexts',
    'data/events',
    'data/usage',
    'data/trash',
    'data/revisions/a',
  ]) {
    assert.deepEqual(
      (await readdir(stage.path(folder))).filter((name) => name.startsWith('.hersh-tmp-')),
      [],
      folder,
    );
  }
  assert.equal(await stage.read('status/.gitignore'), '*\n');
  assert.equal((await stat(stage.path('data/.gitignore'))).mtimeMs, 1000, 'what is right is not written');
  assert.deepEqual(names(registry), ['a']);
});

test('a registry that can not be is refused with a word', async (t) => {
  const stage = await createStage(t);
  await stage.write({ file: '' });
  await assert.rejects(
    stage.open({ root: stage.path('file') }),
    (error) =>
      error instanceof AppError && error.reason === 'RegistryUnavailable' && error.hint !== undefined,
  );
  await stage.write({ 'other/status/x.yaml': 'apiVersion: hersh.dev/v2\n' });
  await assert.rejects(stage.open({ root: stage.path('other') }), /newer|of version hersh\.dev\/v2/);
});

test('what is wrong with programs/ or sources/ keeps no host from starting, and is told', async (t) => {
  for (const folder of ['programs', 'sources']) {
    for (const [what, put] of [
      ['a link in a circle', (path: string) => symlink(path, path)],
      ['a file', (path: string) => writeFile(path, '')],
    ] as const) {
      const stage = await createStage(t);
      await stage.write({ '.git/HEAD': 'ref: refs/heads/main\n', 'sources/': '' });
      await stage.remove(folder);
      await put(stage.path(folder));
      const registry = await stage.open();
      assert.equal(registry.health().message !== '', folder === 'programs', `${folder}: ${what}`);
    }
    const stage = await createStage(t);
    await stage.write({ '.git/HEAD': 'ref: refs/heads/main\n', 'sources/': '' });
    await withMount(stage.path(folder), 'ro', async () => {
      const registry = await stage.open();
      assert.deepEqual(registry.health(), {
        scanned: true,
        message: '',
        paused: [],
        moved: [],
        unwritable: [],
        warnings: [],
      });
      await registry.close();
    });
  }
});

test('a manifest that is broken keeps nobody else from being read, and is taken up when it is right', async (t) => {
  const stage = await createStage(t, 'a', 'c');
  await stage.write({ [fileOf('b')]: manifest('b', '  publishPort: x\n'), [fileOf('d')]: '['.repeat(1e5) });
  const registry = await stage.open();
  assert.deepEqual(names(registry), ['a', 'b', 'c', 'd']);
  const broken = registry.get('b');
  assert.equal(broken?.program, undefined);
  assert.equal(broken?.problems[0]?.line, 8);
  assert.equal(registry.wanted('b').kind, 'present');
  await stage.write({ [fileOf('b')]: manifest('b') });
  const told: string[] = [];
  registry.subscribe((change) => told.push(...change.names));
  await registry.look();
  assert.deepEqual(told, ['b']);
  assert.equal(registry.get('b')?.program?.name, 'b');
});

test('a manifest that is half written is not taken, and the last one stands', async (t) => {
  const stage = await createStage(t, 'a');
  const registry = await stage.open();
  const text = manifest('a', '  publishPort: 19005\n');
  await writeFile(stage.path(fileOf('a')), text.slice(0, 60));
  const { ctimeMs } = await stat(stage.path(fileOf('a')));
  stage.clock.nowMs = () => ctimeMs + 20;
  await registry.look();
  assert.equal(registry.get('a')?.text, manifest('a'));
  assert.equal(wantedOf(registry, 'a'), 'present');
  await stage.write({ [fileOf('a')]: text, [fileOf('new')]: manifest('new') });
  const later = (await stat(stage.path(fileOf('new')))).ctimeMs;
  stage.clock.nowMs = () => later + 30;
  await registry.look();
  assert.equal(registry.get('new'), undefined);
  stage.clock.nowMs = () => later + 51;
  await registry.look();
  assert.equal(registry.get('a')?.text, text);
  assert.equal(registry.get('new')?.text, manifest('new'));
});

test('the look that takes a settled file comes by itself', async (t) => {
  const stage = await createStage(t);
  const registry = await stage.open();
  await stage.write({ [fileOf('a')]: manifest('a') });
  const { ctimeMs } = await stat(stage.path(fileOf('a')));
  stage.clock.nowMs = () => ctimeMs + 10;
  await registry.look();
  stage.clock.nowMs = () => ctimeMs + 60;
  await stage.clock.advance(51);
  await until('the file to be taken', () => registry.get('a') !== undefined);
});

test('of names that differ by case only the first counts; the other one takes its place when it goes', async (t) => {
  const stage = await createStage(t, 'app');
  const registry = await stage.open();
  await stage.write({ [fileOf('App')]: manifest('App') });
  await registry.look();
  assert.equal(registry.get('app')?.program?.name, 'app');
  const refused = registry.get('App');
  assert.equal(refused?.program, undefined);
  assert.equal(
    refused?.problems[0]?.message,
    'metadata.name differs from app by case only: choose another name',
  );
  await registry.look();
  assert.equal(registry.get('App')?.program, undefined, 'it stays so');
  await registry.remove('app');
  await stage.clock.advance(100);
  await until('the other one to be taken', () => registry.get('App')?.program !== undefined);
});

test('files with names no program can have are told of, once', async (t) => {
  const stage = await createStage(t, 'a');
  await stage.write({ 'programs/my program.yaml': '', 'programs/x.yml': '' });
  const registry = await stage.open();
  await registry.look();
  assert.equal(stage.warnings.length, 1);
  assert.match(stage.warnings[0] ?? '', /my program\.yaml.*x\.yml/);
});

test('looks that are asked for at once are one', async (t) => {
  const stage = await createStage(t, 'a');
  let refreshed = 0;
  const registry = await stage.open({
    watchFiles: () => ({
      refresh: async () => {
        refreshed++;
      },
      close: async () => undefined,
    }),
  });
  const before = refreshed;
  await Promise.all(Array.from({ length: 100 }, () => registry.look()));
  assert.equal(refreshed - before, 1);
  await stage.write({ [fileOf('b')]: manifest('b') });
  await registry.look();
  assert.deepEqual(names(registry), ['a', 'b'], 'and the next one sees what came since');
});

test('edits and looks at the same time: nothing is lost, nothing is told wrong', async (t) => {
  const stage = await createStage(t, 'a', 'b', 'c');
  const registry = await stage.open();
  await enlist(registry, 'a', 'b', 'c');
  registry.subscribe(({ names: told }) => {
    for (const name of told) assert.notEqual(registry.wanted(name).kind, 'gone', name);
  });
  await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const name = ['a', 'b', 'c'][index % 3] ?? 'a';
      await Promise.all([registry.editSpec(name, { restartedAt: String(index) }), registry.look()]);
    }),
  );
  assert.deepEqual(names(registry), ['a', 'b', 'c']);
  for (const { text, name } of registry.list()) assert.equal(await stage.read(fileOf(name)), text);
  assert.deepEqual(stage.warnings, []);
});

test('thousands of manifests are read without holding anything up for long', async (t) => {
  const stage = await createStage(t);
  const files = Array.from(
    { length: 500 },
    (_, index) => [fileOf(`p${index}`), manifest(`p${index}`)] as const,
  );
  await stage.write(Object.fromEntries(files));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const registry = await stage.open();
  assert.equal(registry.list().length, 500);
  assert.ok(turns > 5, `${turns} turns for others`);
  clearInterval(timer);
  const before = process.cpuUsage();
  await registry.look();
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 1e6, `another look took ${user + system} µs`);
});

// Real events from here on: they may come late, so each is waited for.

async function openWatched(t: Parameters<typeof createStage>[0], ...programs: string[]) {
  const stage = await createStage(t, ...programs);
  const registry = await stage.open({ watchFiles: watchRegistry, clock: systemClock });
  const has = (name: string) => until(name, () => registry.get(name)?.program !== undefined);
  const gone = (name: string) => until(`${name} to be missed`, () => registry.get(name) === undefined);
  return { stage, registry, has, gone };
}

test('foreign edits are taken up by events', async (t) => {
  const { stage, has, gone, registry } = await openWatched(t, 'a');
  await stage.write({ [fileOf('b')]: manifest('b') });
  await has('b');
  await stage.write({ [fileOf('b')]: manifest('b', '  publishPort: 19005\n') });
  await until('the edit', () => registry.get('b')?.program?.rawSpec.publishPort === 19005);
  await rename(stage.path(fileOf('b')), stage.path(fileOf('c')));
  await gone('b');
  await until('the rename', () => registry.get('c') !== undefined);
});

test('changed sources are told of', async (t) => {
  const { stage, registry } = await openWatched(t, 'a');
  const paths = new Set<string>();
  registry.subscribe((change) => {
    for (const path of change.paths) paths.add(path);
  });
  let count = 0;
  await until('the folder to be told of', async () => {
    await stage.write({ [`sources/x/f${count++ % 5}`]: String(count) });
    return [...paths].some((path) => path.startsWith('sources/x/f'));
  });
  assert.equal(
    [...paths].some((path) => /^(status|data|programs|\.git)/.test(path) || path === ''),
    false,
  );
});

test('folders that are removed and made again, swapped, or come late are watched again', async (t) => {
  const { stage, registry, has } = await openWatched(t, 'a');
  for (let round = 0; round < 3; round++) {
    await rm(stage.path('programs'), { recursive: true });
    await mkdir(stage.path('programs'));
    await stage.write({ [fileOf(`made${round}`)]: manifest(`made${round}`) });
    await has(`made${round}`);
    await stage.write({ [fileOf(`then${round}`)]: manifest(`then${round}`) });
    await has(`then${round}`);
  }
  await stage.write({ 'next/swapped.yaml': manifest('swapped') });
  await rename(stage.path('programs'), stage.path('before'));
  await rename(stage.path('next'), stage.path('programs'));
  await has('swapped');
  await stage.write({ [fileOf('after')]: manifest('after') });
  await has('after');
  await rm(stage.path('programs'), { recursive: true });
  await until('the trouble', () => registry.health().message !== '');
  await stage.write({ [fileOf('late')]: manifest('late') });
  await has('late');
});

test('programs/ that is a link is watched where it leads, and again when it is turned', async (t) => {
  const stage = await createStage(t);
  await stage.remove('programs');
  await stage.write({ 'one/a.yaml': manifest('a'), 'two/b.yaml': manifest('b') });
  await symlink('one', stage.path('programs'));
  const registry = await stage.open({ watchFiles: watchRegistry, clock: systemClock });
  await until('what is behind the link', () => registry.get('a') !== undefined);
  await stage.write({ 'one/c.yaml': manifest('c') });
  await until('a file behind the link', () => registry.get('c') !== undefined);
  await symlink('two', stage.path('turned'));
  await rename(stage.path('turned'), stage.path('programs'));
  await until('the other folder', () => registry.get('b') !== undefined);
  await stage.write({ 'two/d.yaml': manifest('d') });
  await until('a file in it', () => registry.get('d') !== undefined);
});
