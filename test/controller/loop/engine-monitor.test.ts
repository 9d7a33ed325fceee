import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startEngineMonitor } from '../../../controller/loop/engine-monitor.ts';
import { LABELS } from '../../../schemas/program.ts';
import { createSimEngine } from '../../sim/engine.ts';
import { createSimWorld } from '../../sim/engine-world.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

async function createBench(test: TestContext) {
  const clock = createManualClock();
  const world = createSimWorld(clock);
  const engine = createSimEngine({ world, instance: 'default' });
  const image = world.addImage('test').id;
  const looked: string[] = [];
  const warned: string[] = [];
  const said: string[] = [];
  const quiet = () => undefined;
  const log = {
    ...{ debug: quiet, error: quiet },
    info: (_fields: object, message: string) => said.push(message),
    warn: (_fields: object, message: string) => warned.push(message),
  };
  const known = new Set(['app']);
  /** Why a container is not its program's, by id. */
  const strange = new Map<string, string>();
  const firsts: number[] = [];
  let turns = 0;
  const monitor = startEngineMonitor({
    ...{ engine, clock },
    log: log as unknown as Parameters<typeof startEngineMonitor>[0]['log'],
    whyStray: ({ id, program }) => (known.has(program) ? strange.get(id) : ''),
    onProgram: (program) => looked.push(program),
    isPaused: () => false,
    onFirst: () => firsts.push(turns),
    onTurn: () => turns++,
  });
  test.after(() => monitor.close());
  const make = (program: string) =>
    engine.createContainer({
      ...{ program, name: program, image, labels: {}, env: {}, publishPort: 19001, runtime: 'runc' },
      ...{ memoryBytes: 1, cpus: 1, pids: 1, volume: program, volumeLabels: { [LABELS.program]: program } },
    });
  await clock.advance(300);
  return {
    clock,
    world,
    engine,
    monitor,
    looked,
    warned,
    said,
    known,
    strange,
    make,
    firsts,
    turns: () => turns,
  };
}

describe('the engine monitor', () => {
  it('knows the engine after its first list, and tells that everything has to be looked at', async (test) => {
    const { clock, monitor, turns, firsts } = await createBench(test);
    assert.deepEqual(monitor.health(), {
      ...{ trouble: '', awaySinceMs: 0 },
      ...{ listed: true, strays: [] },
    });
    assert.ok(turns() >= 1);
    await clock.advance(30_000);
    assert.deepEqual(firsts, [0], 'the first list is given once, before anything is looked at');
  });

  it('tells of a program at every event, and of one whose event was lost at the next list', async (test) => {
    const { clock, world, engine, looked, make } = await createBench(test);
    const id = await make('app');
    await clock.advance(0);
    assert.deepEqual(looked, ['app']);
    await clock.advance(10_000);
    looked.length = 0;
    await clock.advance(30_000);
    assert.deepEqual(looked, [], 'nothing changed');
    world.eventFate = () => 'lose';
    await engine.startContainer(id);
    await clock.advance(10_000);
    assert.deepEqual(looked, ['app']);
    await engine.removeContainer(id);
    await clock.advance(10_000);
    assert.deepEqual(looked, ['app', 'app']);
  });

  it('compares a list with what was seen last, not with the list before', async (test) => {
    const { clock, world, engine, monitor, looked, make } = await createBench(test);
    const id = await make('app');
    await clock.advance(10_000);
    world.eventFate = () => 'lose';
    await engine.startContainer(id);
    monitor.saw('app', await engine.listContainers('app'));
    await engine.stopContainer(id, 0);
    await clock.advance(10_000);
    looked.length = 0;
    await engine.startContainer(id);
    monitor.saw('app', await engine.listContainers('app'));
    await engine.stopContainer(id, 0);
    await clock.advance(10_000);
    assert.deepEqual(looked, ['app'], 'down as at the list before, but up in between');
  });

  it('tells once that the engine is away, with words, and asks until it is back', async (test) => {
    const { clock, world, monitor, warned, turns } = await createBench(test);
    const before = turns();
    const goesMs = clock.now();
    world.goAway('keep');
    await clock.advance(120_000);
    assert.match(monitor.health().trouble, /went away|does not answer/);
    const sinceMs = monitor.health().awaySinceMs;
    assert.ok(sinceMs >= goesMs && sinceMs <= goesMs + 15_000, `${sinceMs - goesMs}`);
    assert.equal(warned.length, 1);
    assert.equal(turns(), before + 1);
    world.comeBack();
    await clock.advance(5_000);
    assert.equal(monitor.health().trouble, '');
    assert.ok(turns() > before + 1);
  });

  it('does not take an engine for back that answers and gives no list, whatever its events say', async (test) => {
    const { clock, world, monitor, warned, said, turns } = await createBench(test);
    const before = turns();
    said.length = 0;
    let lists = 0;
    world.fault = (method) => {
      if (method !== 'listContainers') return 'none';
      lists++;
      return 'refuse';
    };
    await clock.advance(10_000);
    assert.match(monitor.health().trouble, /refuses/);
    for (let second = 0; second < 60; second++) {
      if (second % 20 === 0) for (const watcher of world.watchers) watcher.onConnect();
      await clock.advance(1_000);
      assert.match(monitor.health().trouble, /refuses/, `after ${second} s`);
    }
    assert.deepEqual([warned.length, said], [1, []], 'told once');
    assert.equal(turns(), before + 1, 'nobody is sent to look in vain');
    assert.ok(lists > 10 && lists < 25, `${lists} lists in a minute`);
    assert.equal(monitor.wasAway(clock.now()), true);
    world.fault = () => 'none';
    await clock.advance(5_000);
    assert.equal(monitor.health().trouble, '');
    assert.equal(said.length, 1);
    assert.ok(turns() > before + 1);
  });

  it('finds that the engine is back also when the event stream does not', async (test) => {
    const { clock, world, monitor } = await createBench(test);
    world.goAway('keep');
    await clock.advance(20_000);
    for (const watcher of world.watchers) watcher.onConnect = () => undefined;
    world.comeBack();
    await clock.advance(5_000);
    assert.equal(monitor.health().trouble, '');
  });

  it('knows who has no containers, until something tells of one, and by no list that is old', async (test) => {
    const { clock, world, engine, monitor, make } = await createBench(test);
    const none = () => ['app', 'other'].filter((name) => monitor.hasNone(name));
    assert.deepEqual(none(), ['app', 'other']);
    const id = await make('app');
    await clock.advance(0);
    assert.deepEqual(none(), ['other'], 'an event told');
    await clock.advance(10_000);
    assert.deepEqual(none(), ['other'], 'a list told');
    await engine.removeContainer(id);
    await clock.advance(10_000);
    assert.deepEqual(none(), ['app', 'other']);
    monitor.touched('other');
    assert.deepEqual(none(), ['app'], 'a container may be made of it just now');
    await clock.advance(10_000);
    assert.deepEqual(none(), ['app', 'other']);
    world.eventFate = () => 'lose';
    await make('app');
    monitor.saw('app', await engine.listContainers('app'));
    assert.deepEqual(none(), ['other'], 'a look found one');
    await clock.advance(10_000);
    engine.listContainers = () => new Promise(() => undefined);
    await clock.advance(30_000);
    assert.deepEqual(none(), []);
  });

  it('does not take a list for news of what was touched after it was asked for', async (test) => {
    const { engine, monitor } = await createBench(test);
    const { listContainers } = engine;
    engine.listContainers = async (program) => {
      const found = await listContainers(program);
      monitor.touched('other');
      return found;
    };
    await monitor.relist();
    assert.deepEqual([monitor.hasNone('app'), monitor.hasNone('other')], [true, false]);
  });

  it('reports containers of programs that nobody knows, and that they are gone', async (test) => {
    const { clock, engine, monitor, known, warned, make } = await createBench(test);
    await make('app');
    const stray = await make('stray');
    await clock.advance(10_000);
    assert.deepEqual(
      monitor.health().strays.map(({ name }) => name),
      ['stray'],
    );
    await clock.advance(30_000);
    assert.equal(warned.length, 1);
    known.add('stray');
    await monitor.relist();
    assert.deepEqual(monitor.health().strays, []);
    known.delete('stray');
    await engine.removeContainer(stray);
    await clock.advance(10_000);
    assert.deepEqual(monitor.health().strays, []);
  });

  it('leaves nothing running when it is closed', async (test) => {
    const { clock, world, monitor, looked, make } = await createBench(test);
    await monitor.close();
    await make('app');
    await clock.advance(60_000);
    assert.deepEqual(looked, []);
    assert.equal(world.watchers.size, 0);
    assert.equal(clock.nextAt(), undefined);
  });
});
