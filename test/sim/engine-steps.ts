import type { SimContainer } from './engine-world.ts';
import { freeDisk, leaveHalf } from './file-steps.ts';
import { filesAtRest } from './pace.ts';
import { FAIR, PORT_RANGE, type SimStage, type Weather } from './sim-stage.ts';
import type { SimStep } from './sim-step.ts';

/** What happens to containers and the engine, and to the host itself. */
export const ENGINE_STEPS: SimStep[] = [
  { weight: 3, act: (stage) => onRunning(stage, 'crashes', (one) => stage.world.end(one, 1)) },
  { weight: 2, act: (stage) => onRunning(stage, 'is killed', (one) => stage.world.end(one, 137)) },
  {
    weight: 1,
    act: (stage) => onRunning(stage, 'runs out of memory', (one) => stage.world.end(one, 137, true)),
  },
  { weight: 1, act: (stage) => onRunning(stage, 'is stopped by hand', (one) => stage.world.end(one, 0)) },
  { weight: 1, act: (stage) => onRunning(stage, 'is paused', (one) => pause(stage, one)) },
  { weight: 2, act: (stage) => onAny(stage, 'is removed by hand', (one) => removeByHand(stage, one)) },
  { weight: 1, act: (stage) => onAny(stage, 'is renamed', (one) => rename(stage, one)) },
  { weight: 1, act: (stage) => onAny(stage, 'drifts', (one) => drift(stage, one), known(stage)) },
  { weight: 2, act: startByHand },
  { weight: 1, act: removeImage },
  { weight: 2, act: takePort },
  { weight: 2, act: freePorts },
  { weight: 1, act: cutNetwork },
  { weight: 2, act: mendNetwork },
  { weight: 1, act: engineGoes },
  { weight: 4, act: engineComes },
  { weight: 1, act: engineFreezes },
  { weight: 3, act: engineThaws },
  { weight: 0.5, act: fillEngine },
  { weight: 2, act: emptyEngine },
  { weight: 3, act: turnWeather },
  { weight: 3, act: calmWeather },
  { weight: 1, act: jumpClock },
];

export const HOST_STEPS: SimStep[] = [
  { weight: 3, act: killSoon },
  { weight: 2, act: killNow },
  { weight: 1, act: stopHost },
  { weight: 12, act: startHost },
  { weight: 2, act: collectNow },
];

type Touch = (container: SimContainer) => void;

function onAny(stage: SimStage, words: string, touch: Touch, ofThese = stage.containers()): string {
  const container = stage.random.any(ofThese);
  if (container === undefined || stage.world.isAway) return '';
  stage.meddled.set(container.facts.id, stage.clock.monotonic());
  stage.meddle(() => touch(container));
  return `${container.facts.name} ${words}`;
}

function onRunning(stage: SimStage, words: string, touch: Touch): string {
  const running = stage.containers().filter(({ facts }) => facts.state === 'running');
  return onAny(stage, words, touch, running);
}

function pause({ world }: SimStage, container: SimContainer): void {
  container.facts.state = 'paused';
  world.emit(container, 'pause');
}

function removeByHand({ world }: SimStage, container: SimContainer): void {
  void world.remove(container);
}

function rename(stage: SimStage, container: SimContainer): void {
  stage.version += 1;
  container.facts.name = `${container.facts.name}-renamed-${stage.version}`;
  stage.world.emit(container, 'rename');
}

/** Those whose settings the host has taken down: what was changed before that can not be told. */
function known({ witness, containers }: SimStage): SimContainer[] {
  return containers().filter(
    ({ facts }) => witness.ledger(facts.program)?.memory.program.served?.id === facts.id,
  );
}

function drift({ random, world, witness, drifted }: SimStage, container: SimContainer): void {
  const { id, program, settings } = container.facts;
  drifted.set(id, witness.ledger(program)?.createdAt ?? '');
  const change = random.pick<Partial<typeof settings>>([
    { memoryBytes: 2 ** 40 },
    { restartPolicy: 'always' },
    { networks: [] },
    { cpus: 64 },
    { cpusetCpus: '0', blkioWeight: 500 },
  ]);
  const sandbox = world.sandboxes.all.get(container.facts.sandbox?.id ?? '');
  if (sandbox !== undefined && change.networks !== undefined) {
    sandbox.networks = [];
    world.sandboxes.changed(sandbox, 'disconnect');
    return;
  }
  Object.assign(settings, change);
  world.emit(container, 'update');
}

/** Only where the engine would: not over a port that something listens on. */
function startByHand(stage: SimStage): string {
  const { world } = stage;
  const taken = new Set([...world.containers.values()].filter(isUp).map(({ facts }) => facts.publishPort));
  const free = stage
    .containers()
    .filter((one) => !isUp(one) && !taken.has(one.facts.publishPort) && hasNetwork(stage, one));
  return onAny(stage, 'is started by hand', (one) => world.run(one), free);
}

/** Without its sandbox none is started; and one is, though its port is taken, that only joins it. */
function hasNetwork({ world }: SimStage, { facts }: SimContainer): boolean {
  const { sandbox, publishPort } = facts;
  if (sandbox !== undefined) return ['running', 'paused'].includes(sandbox.state);
  return !world.foreignPorts.has(publishPort) && !world.sandboxes.holds(publishPort);
}

function removeImage({ random, world }: SimStage): string {
  const tag = random.any(
    [...world.tags.keys()].filter((one) => one !== 'plain:1' && one !== 'plain:2').sort(),
  );
  if (tag === undefined) return '';
  const id = world.tags.get(tag) ?? '';
  world.tags.delete(tag);
  const used = [...world.containers.values()].some(({ facts }) => facts.imageId === id);
  if (!used && ![...world.tags.values()].includes(id)) world.images.delete(id);
  return `image ${tag} is removed`;
}

function takePort({ random, world }: SimStage): string {
  const port = PORT_RANGE.min + random.below(PORT_RANGE.max - PORT_RANGE.min + 1);
  const published = [...world.containers.values()].some((one) => isUp(one) && one.facts.publishPort === port);
  if (published || world.sandboxes.holds(port) || world.foreignPorts.size > 3) return '';
  world.foreignPorts.add(port);
  return `somebody listens on ${port}`;
}

function freePorts({ world }: SimStage): string {
  if (world.foreignPorts.size === 0) return '';
  world.foreignPorts.clear();
  return 'foreign ports are free again';
}

function cutNetwork({ world }: SimStage): string {
  if (world.networkDown) return '';
  world.networkDown = true;
  return 'the network is down';
}

function mendNetwork({ world }: SimStage): string {
  if (!world.networkDown) return '';
  world.networkDown = false;
  return 'the network is back';
}

function engineGoes(stage: SimStage): string {
  const { random, world } = stage;
  if (world.isAway) return '';
  const how = random.pick<'keep' | 'end'>(['keep', 'end']);
  stage.meddle(() => world.goAway(how));
  return `the engine goes away${how === 'end' ? ' with all that runs' : ''}`;
}

function engineComes({ world }: SimStage): string {
  if (!world.isAway) return '';
  world.comeBack();
  return 'the engine is back';
}

function engineFreezes({ world }: SimStage): string {
  if (world.frozen !== undefined) return '';
  world.freeze();
  return 'the engine freezes';
}

function engineThaws({ world }: SimStage): string {
  if (world.frozen === undefined) return '';
  world.thaw();
  return 'the engine thaws';
}

function fillEngine({ world }: SimStage): string {
  if (world.diskFull) return '';
  world.diskFull = true;
  return 'the engine has no room for images any more';
}

function emptyEngine({ world }: SimStage): string {
  if (!world.diskFull) return '';
  world.diskFull = false;
  return 'the engine has room again';
}

function turnWeather({ random, weather }: SimStage): string {
  const change = random.pick<Partial<Weather>>([
    { callsBreak: 0.1 },
    { callsBreak: 0.4 },
    { callsRefuse: 0.3 },
    { callsRefuse: 0.1 },
    { callsHang: 0.03 },
    { callsHang: 0.2 },
    { removalMsMax: 5_000 },
    { removalMsMax: 20_000, removalsFail: 0.5 },
    { callMsMax: 100 },
    { callMsMax: 2_000 },
    { eventsLost: 1, hintsLost: 1 },
    { eventsLost: 0.3, eventsDoubled: 0.3, eventsLate: 0.5, hintsLost: 0.3 },
  ]);
  Object.assign(weather, change);
  return `weather ${JSON.stringify(change)}`;
}

function calmWeather({ weather }: SimStage): string {
  Object.assign(weather, FAIR);
  return 'fair weather';
}

function jumpClock(stage: SimStage): string {
  const ms = stage.random.pick([-864_000_000, -3_600_000, -5_000, 5_000, 3_600_000, 864_000_000]);
  stage.wallOffsetMs += ms;
  stage.jumpedMs = stage.clock.monotonic();
  return `the wall clock jumps ${ms / 1000} s`;
}

function killSoon(stage: SimStage): string {
  if (stage.deathIn > 0) return '';
  stage.deathIn = 1 + stage.random.below(80);
  return `the host will be killed in ${stage.deathIn} steps`;
}

async function killNow(stage: SimStage): Promise<string> {
  if (stage.host === undefined) return '';
  await stage.kill();
  if (stage.random.chance(0.3)) return `the host is killed and leaves ${await leaveHalf(stage)}`;
  return 'the host is killed';
}

async function stopHost(stage: SimStage): Promise<string> {
  if (stage.host === undefined) return '';
  await stage.stop();
  return 'the host ends in good order';
}

async function startHost(stage: SimStage): Promise<string> {
  if (stage.host !== undefined) return '';
  // A host does not even begin where it can not write.
  freeDisk(stage);
  await stage.start();
  return 'a host starts';
}

/** Long before the time between two looks is over. */
async function collectNow({ host }: SimStage): Promise<string> {
  if (host === undefined) return '';
  void host.controller.collector.run();
  await filesAtRest();
  return 'a look for what can be collected';
}

function isUp({ facts }: SimContainer): boolean {
  return facts.state === 'running' || facts.state === 'paused';
}
