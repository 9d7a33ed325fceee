import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { watchRegistry } from '../../registry/looks/watch.ts';
import { settle } from '../sim/manual-clock.ts';
import { createStage, manifest, type Stage } from './stage.ts';

const run = promisify(execFile);
const NAMES = ['one', 'two', 'three'];

interface Watched extends Stage {
  /** Paths that the watch gave hints of. */
  hints: Set<string>;
  path(name: string): string;
}

/** Three programs that run, under a host with the real watch. `before` puts the folders in place. */
async function startThree(
  test: TestContext,
  before: (stage: Stage) => Promise<void> = async () => undefined,
): Promise<Watched> {
  const stage = await createStage(test);
  await before(stage);
  await stage.write('sources/app/Dockerfile', 'FROM scratch\n');
  for (const name of NAMES) await writeProgram(stage, name);
  const hints = new Set<string>();
  const watched = Object.assign(stage, { hints, path: (name: string) => join(stage.root, name) });
  await startWatched(watched);
  await watched.host.until(
    'all run',
    () => watched.host.registry.status.names().length === 3 && areReady(watched),
  );
  await watched.host.advance(1_000);
  watched.host.calls.length = 0;
  return watched;
}

async function startWatched(stage: Watched): Promise<void> {
  await stage.start({
    watchFiles: (root, ignored, clock, onHint, onError) =>
      watchRegistry(
        root,
        ignored,
        clock,
        (paths) => {
          for (const path of paths) stage.hints.add(path);
          onHint(paths);
        },
        onError,
      ),
  });
}

const writeProgram = (stage: Stage, name: string) =>
  stage.write(`programs/${name}.yaml`, manifest(name, { build: { context: 'sources/app' } }));

const areReady = ({ host }: Stage) =>
  NAMES.every((name) => host.registry.status.get(name)?.state === 'Ready');

/** A minute goes by, and nothing was done to any container; one that crashes is healed. */
async function keepsRunning(stage: Watched): Promise<void> {
  await stage.host.advance(60_000);
  for (const name of NAMES) stage.running(name);
  assert.deepEqual(stage.host.calls, []);
  assert.deepEqual(
    stage.host.programs.list().map(({ name }) => name),
    [...NAMES].sort(),
  );
  stage.world.end(stage.running('one'), 1);
  await stage.host.advance(1_000);
  stage.running('one');
  stage.host.calls.length = 0;
}

/** All is known again; and what is saved from now on is told of, not found by looking. */
async function isAsBefore(stage: Watched): Promise<void> {
  const { host, hints } = stage;
  await host.advance(15_000);
  assert.deepEqual(host.registry.health(), {
    scanned: true,
    message: '',
    paused: [],
    moved: [],
    unwritable: [],
    warnings: [],
  });
  assert.deepEqual(host.calls, []);
  assert.ok(areReady(stage));
  for (const path of ['programs/new.yaml', 'sources/app/new.txt']) {
    hints.clear();
    for (let count = 0; !hints.has(path); count++) {
      assert.ok(count < 1_000, `there is no hint of ${path}`);
      // Of sources the watch may be beginning just now.
      if (count % 100 === 0)
        await stage.write(path, path.startsWith('programs') ? imageOf('new') : `${count}`);
      await settle();
      await stage.clock.advance(5);
    }
  }
  await stage.reach('new', 'Ready');
  await host.until('the new sources serve', () =>
    NAMES.every((name) => stage.status(name).currentRevision === 2),
  );
  await host.until('all are ready', () => areReady(stage));
  await host.kill();
  await startWatched(stage);
  await stage.host.advance(15_000);
  assert.deepEqual(stage.host.calls, [], 'the next host finds all ledgers');
  assert.ok(areReady(stage));
}

const imageOf = (name: string) => manifest(name, { build: { context: 'sources/app' } });

interface Disk {
  mount(): Promise<unknown>;
  umount(): Promise<unknown>;
}

/** A folder elsewhere that is mounted there while the work is done, whatever that mounts and unmounts itself. */
async function withDisk(work: (at: (path: string) => Promise<Disk>) => Promise<void>): Promise<void> {
  const disk = await mkdtemp(join(tmpdir(), 'hersh-disk-'));
  let umount = async (): Promise<unknown> => undefined;
  try {
    await work(async (path) => {
      await mkdir(path, { recursive: true });
      umount = () => run('umount', ['-l', path]);
      const mount = () => run('mount', ['--bind', disk, path]);
      await mount();
      return { mount, umount };
    });
  } finally {
    await umount().catch(() => undefined);
    await rm(disk, { recursive: true, force: true });
  }
}

describe('the folders of a registry whose programs run', () => {
  for (const name of ['programs', '.']) {
    it(`${name === '.' ? 'the whole of it' : `${name}/`} unmounted and mounted again`, async (test) => {
      await withDisk(async (at) => {
        let disk: Disk | undefined;
        const stage = await startThree(test, async ({ root }) => {
          disk = await at(join(root, name));
        });
        await disk?.umount();
        await keepsRunning(stage);
        const { message, paused } = stage.host.registry.health();
        if (name === '.') assert.match(message, /programs\/ can not be read: it is missing/);
        else assert.deepEqual(paused, [...NAMES].sort());
        assert.deepEqual(await readdir(stage.path(name)), [], 'nothing is written where the disk should be');
        await disk?.mount();
        await isAsBefore(stage);
        await stage.host.kill();
      });
    });
  }

  it('programs/ replaced by another folder with the same in it', async (test) => {
    const stage = await startThree(test);
    await cp(stage.path('programs'), stage.path('next'), { recursive: true });
    await rename(stage.path('programs'), stage.path('last'));
    await rename(stage.path('next'), stage.path('programs'));
    await keepsRunning(stage);
    await isAsBefore(stage);
  });

  it('programs/ emptied, and filled again', async (test) => {
    const stage = await startThree(test);
    for (const name of NAMES) await stage.remove(`programs/${name}.yaml`);
    await keepsRunning(stage);
    for (const name of NAMES) await writeProgram(stage, name);
    await isAsBefore(stage);
  });

  it('programs/ that is a link, turned to another folder, and to none', async (test) => {
    const stage = await startThree(test, async ({ root }) => {
      await mkdir(join(root, 'elsewhere'));
      await symlink('elsewhere', join(root, 'programs'));
    });
    const turnTo = async (folder: string) => {
      await symlink(folder, stage.path('turned'));
      await rename(stage.path('turned'), stage.path('programs'));
    };
    await turnTo('nowhere');
    await keepsRunning(stage);
    assert.match(stage.host.registry.health().message, /programs\/ can not be read/);
    await cp(stage.path('elsewhere'), stage.path('other'), { recursive: true });
    await turnTo('other');
    await keepsRunning(stage);
    await isAsBefore(stage);
  });

  it('the whole of it removed, and made again from a copy of what people wrote', async (test) => {
    const stage = await startThree(test);
    const copy = `${stage.root}-copy`;
    test.after(() => rm(copy, { recursive: true, force: true }));
    for (const name of ['programs', 'sources'])
      await cp(stage.path(name), join(copy, name), { recursive: true });
    await rm(stage.root, { recursive: true });
    await keepsRunning(stage);
    await cp(copy, stage.root, { recursive: true });
    await isAsBefore(stage);
  });

  it('the whole of it replaced by an older copy, ledgers and all', async (test) => {
    const stage = await startThree(test);
    const copy = `${stage.root}-copy`;
    test.after(() => rm(copy, { recursive: true, force: true }));
    await cp(stage.root, copy, { recursive: true });
    await stage.write('sources/app/later.txt', 'later');
    await stage.host.until('it serves', () =>
      NAMES.every((name) => stage.status(name).currentRevision === 2),
    );
    await stage.host.until('all are ready', () => areReady(stage));
    await stage.host.advance(1_000);
    stage.host.calls.length = 0;
    await cp(stage.path('sources'), join(copy, 'sources'), { recursive: true });
    await rm(stage.root, { recursive: true });
    await rename(copy, stage.root);
    await keepsRunning(stage);
    assert.match(await readFile(stage.path('status/two.yaml'), 'utf8'), /^ {2}currentRevision: 2$/m);
    await stage.host.kill();
    await startWatched(stage);
    await keepsRunning(stage);
    assert.deepEqual(
      NAMES.map((name) => stage.status(name).currentRevision),
      [2, 2, 2],
    );
  });

  for (const name of ['status', 'data', 'sources']) {
    it(`${name}/ removed`, async (test) => {
      const stage = await startThree(test);
      await cp(stage.path('sources'), stage.path('copy'), { recursive: true });
      await stage.remove(name);
      await keepsRunning(stage);
      if (name === 'sources') await cp(stage.path('copy'), stage.path('sources'), { recursive: true });
      await rm(stage.path('copy'), { recursive: true });
      await isAsBefore(stage);
    });
  }
});
