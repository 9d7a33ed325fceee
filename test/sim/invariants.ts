import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { isCopy, isProgramsOwn } from './copies.ts';
import { createSimEngine } from './engine.ts';
import type { SimContainer } from './engine-world.ts';
import { watchHistory } from './history.ts';
import type { Step } from './host.ts';
import { isHostsOwn } from './hosts-own.ts';
import { pauseRule } from './pausing.ts';
import type { SimStage } from './sim-stage.ts';

/** A wish that was withdrawn can still be under way for so long. */
const WISH_MS = 15_000;
/** Each event does so, on a line of its own. */
const EVENT_BEGINS = '{"time":';
/** Ports of those who are not ours. */
const NEIGHBOUR_PORT = 28_000;

/** What must hold at every moment, whatever goes wrong around the host. */
export interface Invariants {
  /** Throws the first violation since the last check. */
  check(): void;
}

/** Begins to watch a stage. */
export async function watchInvariants(stage: SimStage): Promise<Invariants> {
  const { world } = stage;
  const neighbours = await makeNeighbours(stage);
  const history = watchHistory(stage);
  const volumeOf = new Map<string, string>();
  /** The count last seen, and of which life of the program. */
  const restarts = new Map<string, { createdAt: string; count: number }>();
  const others = (one: SimContainer) => stage.containers(one.facts.program).filter((other) => other !== one);
  const wrong = (message: string) => stage.violations.push(message);

  /** Whether somebody else did something to it that the host has not seen yet. */
  const wasJustTouched = ({ facts }: SimContainer) =>
    (stage.meddled.get(facts.id) ?? Number.NEGATIVE_INFINITY) >= stage.witness.lookedMs(facts.program);

  const { run } = world;
  world.run = (container) => {
    if (isProgramsOwn(container) && !stage.meddling) {
      const rival = others(container).find((one) => isUp(one) && !wasJustTouched(one));
      if (rival !== undefined)
        wrong(`${container.facts.name} was started while ${rival.facts.name} of the same program ran`);
    }
    run(container);
  };

  const containers = world.containers as Map<string, SimContainer>;
  const { set } = containers;
  containers.set = (id, container) => {
    if (isProgramsOwn(container)) {
      const { program, name } = container.facts;
      const isThere = existsSync(join(stage.root, 'status', `${program}.yaml`));
      if (!isThere && !stage.damaged.has(program)) wrong(`${name} was created before its ledger`);
      const volume = `${container.volume} ${world.volumes.get(container.volume)?.id}`;
      const before = volumeOf.get(program) ?? volume;
      if (before !== volume) wrong(`${name} got volume ${volume} and not ${before}`);
      volumeOf.set(program, before);
    }
    return set.call(containers, id, container);
  };

  /** When a program was last known to be stopped or deleted by wish. */
  const endWanted = new Map<string, number>();
  const noteWishes = (): void => {
    const { registry } = stage.host ?? {};
    for (const name of registry?.status.names() ?? []) {
      const spec = registry?.get(name)?.program?.rawSpec;
      const { inForce, deletion } = registry?.status.get(name)?.memory.program ?? {};
      const stops = spec?.desiredState === 'Stopped' || inForce?.spec.desiredState === 'Stopped';
      // A deletion that was begun is ended, be it that something broken lies in the manifest's place by then.
      const goes = registry?.wanted(name).kind === 'gone' || deletion !== undefined;
      if (stops || goes) endWanted.set(name, stage.clock.monotonic());
    }
  };

  const touched = pauseRule(stage);
  stage.onStep = ({ name, about }: Step) => {
    noteWishes();
    const held = touched({ name, about });
    if (held !== '') wrong(held);
    if (name === 'engine.removeImage') history.onRemoval(about);
    if (name === 'engine.removeVolume') noteRemoval(about);
    const call = /^engine\.(start|stop|remove|rename|unpause)Container$/.exec(name)?.[1];
    if (call === undefined) return;
    const container = [...containers.values()].find(({ facts }) => facts.name === about);
    if (container === undefined) return;
    if (isCopy(container) && stage.pruning > 0) return;
    if (!isProgramsOwn(container)) wrong(`the host called ${name} for ${about}, which is not its own`);
    else if ((call === 'stop' || call === 'remove') && isUp(container)) mayEnd(container, call);
  };

  /** What was deleted is collected in the end; nobody is alive to miss it. */
  function noteRemoval(volume: string): void {
    for (const [program, known] of volumeOf) {
      if (!known.startsWith(`${volume} `)) continue;
      if (isAlive(program)) wrong(`the data of ${program} was collected: volume ${volume}`);
      volumeOf.delete(program);
    }
  }

  /** What serves is ended only by wish, or for a container that is there to take its place. */
  function mayEnd(container: SimContainer, call: string): void {
    const { program, name } = container.facts;
    const { registry } = stage.host ?? {};
    const status = registry?.status.get(program);
    if (registry === undefined || status === undefined || wasJustTouched(container)) return;
    const asked = endWanted.get(program) ?? Number.NEGATIVE_INFINITY;
    const { program: wish, rollout } = status.memory;
    const { inForce, rest } = wish;
    const { good } = rollout;
    // A bad one gives way also to one that is left at its end.
    if (rollout.verdict === 'bad' && rest?.why === 'finished') return;
    // Its own revision's liveness may have failed just before another one is in force.
    const own = stage.witness.specsOf(stage.witness.seen(container));
    const specs = [inForce?.spec, good?.spec, ...own];
    const isHealthy = specs.every((spec) => (spec?.liveness.kind ?? 'none') === 'none');
    if (stage.clock.monotonic() - asked > WISH_MS && isHealthy && others(container).length === 0)
      wrong(`${call} of ${name}, which served, though nothing was there to take its place`);
  }

  function isAlive(program: string): boolean {
    const { registry } = stage.host ?? {};
    return registry?.status.get(program) !== undefined || registry?.get(program) !== undefined;
  }

  function checkContainers(): void {
    const ports = new Map<number, string>();
    for (const container of containers.values()) {
      // One that runs without its port, as Docker 29 lets it, is published on none.
      const { name, servedPort } = container.facts;
      if (!isUp(container) || servedPort === 0) continue;
      const other = ports.get(servedPort);
      if (other !== undefined) wrong(`${name} and ${other} are both published on ${servedPort}`);
      ports.set(servedPort, name);
    }
    for (const [program, volume] of volumeOf) {
      const [name = '', id] = volume.split(' ');
      if (world.volumes.get(name)?.id === id) continue;
      if (stage.host !== undefined && !isAlive(program)) volumeOf.delete(program);
      else wrong(`the data of ${program} is gone: volume ${name}`);
    }
    const now = neighbours();
    if (now !== before) wrong(`what is not ours was touched: ${now} instead of ${before}`);
  }

  function checkStatuses(): void {
    const { registry, log } = stage.host ?? {};
    for (const { fields, message } of log?.filter(({ level }) => level === 'error') ?? [])
      wrong(`the host logged ${message} ${fields.err instanceof Error ? fields.err.stack : ''}`);
    const ports = new Map<number, string>();
    for (const name of registry?.status.names() ?? []) {
      const status = registry?.status.get(name);
      if (status === undefined) continue;
      const { createdAt, restartCount, publishPort, containerId } = status;
      const shown = containers.get(containerId);
      if (shown !== undefined && isCopy(shown))
        wrong(`${shown.facts.name} passes for the container of ${name}`);
      const other = ports.get(publishPort);
      // A ledger that could not be written, or was lost, may tell of a port that is another's by now.
      const isSure = !stage.wasFull && !stage.damaged.has(name) && !stage.damaged.has(other ?? '');
      if (publishPort > 0 && other !== undefined && isSure)
        wrong(`${name} and ${other} both have the port ${publishPort}`);
      ports.set(publishPort, name);
      const known = restarts.get(name);
      if (known?.createdAt === createdAt && restartCount < known.count)
        wrong(`restart_count of ${name} fell from ${known.count} to ${restartCount}`);
      // What could not be written is forgotten with the host.
      const count = writtenCount(stage, name, createdAt);
      if (count !== undefined) restarts.set(name, { createdAt, count });
    }
  }

  function checkEvents(): void {
    const folder = join(stage.root, 'data', 'events');
    for (const file of existsSync(folder) ? readdirSync(folder) : []) {
      if (!file.endsWith('.ndjson')) continue;
      const lines = readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1);
      for (const line of lines.slice(-20)) {
        // What was cut off stays as it is, and nothing is written behind it.
        if (!isJson(line) && line.lastIndexOf(EVENT_BEGINS) > 0)
          wrong(`${file} holds ${JSON.stringify(line)}, which is no event`);
      }
    }
  }

  const before = neighbours();
  return {
    check() {
      stage.witness.look('time');
      checkContainers();
      history.check();
      checkStatuses();
      checkEvents();
      const [first] = stage.violations;
      if (first !== undefined) throw new assert.AssertionError({ message: first });
    },
  };
}

/** As the ledger on the disk says, where it is that of this life of the program. */
function writtenCount({ root }: SimStage, name: string, createdAt: string): number | undefined {
  const file = join(root, 'status', `${name}.yaml`);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const line = text.includes(`createdAt: ${createdAt}`) ? /^ {2}restartCount: (\d+)$/m.exec(text) : null;
  return line === null ? undefined : Number(line[1]);
}

/** Another instance with a program of the same name, and a container that nobody labelled. */
async function makeNeighbours({ world, clock }: SimStage): Promise<() => string> {
  world.addImage('plain:1');
  world.addImage('plain:2');
  world.remoteImages.add('base');
  const image = world.addImage('neighbour:1').id;
  const other = createSimEngine({ world, instance: 'other' });
  // Of another registry, whose host has the same instance name.
  const beside = createSimEngine({
    world,
    instance: 'default',
    registry: fixedIdentity('f'.repeat(12), '/srv/b'),
  });
  const names = ['other-hersh-program-p1', 'hersh-program-p9', 'hersh-program-beside'];
  const ids = await Promise.all(
    names.map(async (name, index) => {
      const engine = name.endsWith('beside') ? beside : other;
      const id = await engine.createContainer({
        ...{ program: 'p1', name, image, labels: {}, env: {}, publishPort: NEIGHBOUR_PORT + index },
        ...{ runtime: 'runc', memoryBytes: 1, cpus: 1, pids: 1, volume: `${name}-data`, volumeLabels: {} },
      });
      await engine.startContainer(id);
      return id;
    }),
  );
  const bare = world.containers.get(ids[1] ?? '');
  if (bare !== undefined) Object.assign(bare.facts, { labels: {}, program: '' });
  world.volumes.set('somebody-elses', { id: 'x', labels: {} });
  await clock.advance(1);
  return () =>
    JSON.stringify([
      ids.map((id) => {
        const { name, labels, startedAtMs, settings } = world.containers.get(id)?.facts ?? {};
        return { name, labels, startedAtMs, settings };
      }),
      [...world.volumes].filter(([, { labels }]) => !isHostsOwn(labels)),
    ]);
}

function isUp({ facts }: SimContainer): boolean {
  return facts.state === 'running' || facts.state === 'paused';
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
