import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TEMP_PREFIX } from '../../registry/files/atomic-write.ts';
import type { ProgramSpec } from '../../schemas/program.ts';
import { resolveSpec } from '../../schemas/resolve.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { isCopy } from './copies.ts';
import { isSpare, isUp as isUpSandbox, isWhole } from './engine-sandboxes.ts';
import type { SimContainer } from './engine-world.ts';
import type { SimHost } from './host.ts';
import { fateOf } from './random-manifest.ts';
import { PORT_RANGE, type SimStage } from './sim-stage.ts';
import { verdictOn } from './verdict.ts';

/** What still differs from what the manifests want, in words; empty where all is as wanted. */
export async function complaints(stage: SimStage, host: SimHost): Promise<string[]> {
  const { registry, controller } = host;
  const health = registry.health();
  const found = health.message === '' ? [] : [health.message];
  if (controller.health().trouble !== '') found.push(controller.health().trouble);
  const names = new Set([
    ...registry.list().map(({ name }) => name),
    ...registry.status.names(),
    ...stage.containers().map(({ facts }) => facts.program),
  ]);
  for (const name of [...names].sort()) {
    const complaint = await complaintOf(stage, host, name);
    if (complaint !== '') found.push(`${name}: ${complaint}`);
  }
  found.push(...untoldCopies(stage, host), ...uselessSandboxes(stage, host), ...wrongSpares(stage, host));
  // A ledger that could not be written names a port the program has no more.
  return stage.wasFull ? found : [...found, ...leakedPorts(host)];
}

/** What hosts that were killed left half written: the next one that finds it removes it when it starts. */
export function leftFiles({ root }: SimStage): string[] {
  return ['programs', 'status'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.startsWith(TEMP_PREFIX))
      .map((file) => `${folder}/${file} is left over`),
  );
}

/** Nothing is done about a copy, so people have to hear of it. */
function untoldCopies({ world }: SimStage, { controller }: SimHost): string[] {
  const told = new Set(controller.health().strays.map(({ id }) => id));
  const copies = [...world.containers.values()].filter(isCopy);
  return copies.flatMap(({ facts }) => (told.has(facts.id) ? [] : `nobody is told of ${facts.name}`));
}

/** Each belongs to a program that runs, or soon may, and joins no other. */
function uselessSandboxes(stage: SimStage, { registry }: SimHost): string[] {
  const all = [...stage.world.sandboxes.all.values()].filter((one) => !isSpare(one));
  return all.flatMap(({ facts: { id, name, program } }) => {
    const status = registry.status.get(program);
    const containers = stage.containers(program);
    if (containers.some((one) => one.facts.sandbox?.id === id && isUp(one))) return [];
    const { rest } = status?.memory.program ?? {};
    const isOver =
      registry.get(program) !== undefined && (rest?.why === 'finished' || status?.state === 'Stopped');
    const isBeside = containers.some((one) => isUp(one));
    return isOver || isBeside ? [`${name} is of no use`] : [];
  });
}

/** As many as are asked for, each ready on a port of its own that nobody holds. */
function wrongSpares({ world, setup }: SimStage, { controller }: SimHost): string[] {
  const spares = [...world.sandboxes.all.values()].filter(isSpare);
  const { spares: wanted = spares.length } = setup;
  const found = spares.length === wanted ? [] : [`there are ${spares.length} spares and not ${wanted}`];
  for (const one of spares) {
    const { name, publishPort } = one.facts;
    const holder = controller.ports.holder(publishPort);
    if (holder !== undefined) found.push(`${name} waits on ${publishPort}, which is held by ${holder}`);
    if (!isUpSandbox(one) || !isWhole(one)) found.push(`${name} is not ready`);
  }
  return found;
}

function leakedPorts({ registry, controller }: SimHost): string[] {
  const held = new Map<string, number[]>();
  for (const port of [...range(PORT_RANGE.min, PORT_RANGE.max), 20_001]) {
    const name = controller.ports.holder(port);
    if (name !== undefined) held.set(name, [...(held.get(name) ?? []), port]);
  }
  return [...held].flatMap(([name, ports]) => {
    if (registry.status.get(name) === undefined) return `port ${ports} is held by ${name}, which is no more`;
    const status = registry.status.get(name);
    const own = [status?.publishPort, status?.memory.program.inForce?.spec.publishPort];
    const others = ports.filter((port) => !own.includes(port));
    return others.length > 0 ? `${name} holds the ports ${ports}, and its own are ${own}` : [];
  });
}

async function complaintOf(stage: SimStage, host: SimHost, name: string): Promise<string> {
  const { registry } = host;
  const entry = registry.get(name);
  const status = registry.status.get(name);
  const containers = stage.containers(name);
  const up = containers.filter(isUp);
  // What follows its end, as the name that is free by then, is still to come.
  if (containers.some(({ facts }) => facts.state === 'removing')) return 'a container is still being removed';
  if (up.length > 1) return `${up.length} containers run`;
  const onDisk = textOf(stage, `programs/${name}.yaml`);
  if (entry?.text !== onDisk) return 'the manifest on the disk is not the one that is known';
  if (status === undefined) {
    if (entry !== undefined) return 'there is no status';
    // Nobody knows of it any more: reported as a stray, and left alone.
    return containers.length === 0 || stage.damaged.has(name) ? '' : 'its containers are left over';
  }
  if (entry === undefined && registry.wanted(name).kind === 'gone') return 'it is not gone yet';
  if (entry === undefined && !registry.health().paused.includes(name))
    return 'its absence is not settled yet';
  const ledger = stage.witness.ledger(name);
  if (stableJson(ledger) !== stableJson(status))
    return `its ledger says ${stableJson(ledger)} and not ${stableJson(status)}`;
  const valid = status.conditions.find(({ type }) => type === 'Valid')?.status;
  const expected = entry === undefined ? 'Unknown' : entry.program === undefined ? 'False' : 'True';
  if (valid !== expected) return `Valid is ${valid} and not ${expected}`;
  const last = (await registry.events.list(name)).at(-1);
  // The history of a life before stays, and a new one begins without a word.
  const isNew = last === undefined || last.reason === 'Deleted' || status.state === 'Created';
  const told = isNew ? 'Created' : last.state;
  const isExcused = stage.wasFull || stage.damaged.has(name) || stage.witness.isToldAhead(name);
  if (told !== status.state && !isExcused) return `it is ${status.state}, and its last event is of ${told}`;
  const spec =
    entry?.program === undefined
      ? status.memory.program.inForce?.spec
      : resolveSpec(entry.program.rawSpec, 'runc');
  if (spec === undefined)
    return status.reason === 'InvalidManifest' || entry === undefined
      ? ''
      : 'nothing valid was known, and it does not say so';
  if (stableJson(spec) !== stableJson(status.memory.program.inForce?.spec)) return 'another spec is in force';
  if (spec.desiredState === 'Stopped') return stoppedComplaint(status, containers);
  return verdictOn({
    stage,
    registry,
    status,
    isValid: entry?.program !== undefined,
    wanted: spec,
    containers,
  });
}

function stoppedComplaint(status: ProgramStatus, containers: SimContainer[]): string {
  if (containers.some(isUp)) return 'it runs though it should not';
  if (containers.length > 1) return 'more than one container was kept';
  return ['Stopped', 'Created'].includes(status.state) ? '' : `it is ${status.state} and should be Stopped`;
}

/** Programs that nothing needs to be done about, once all is as wanted. */
export function calm(stage: SimStage, host: SimHost): string[] {
  const names = host.registry.status.names();
  return names.filter((name) => {
    const { memory, reason = '', state } = host.registry.status.get(name) ?? {};
    const { inForce } = memory?.program ?? {};
    const { good } = memory?.rollout ?? {};
    const { failed, crashes } = memory?.starts ?? {};
    // Whether what is missing is believed gone may be another matter at the next look.
    if (host.registry.get(name) === undefined) return false;
    // Of two that ask for a port which none of them has yet, the first to be looked at gets it.
    if (reason === 'PortConflict') return false;
    if (failed !== undefined || (memory?.failedImage?.nextAt ?? '') !== '') return false;
    // What serves until the wanted one can be had may be put right once it is known to be good.
    const isLacking = reason === 'BuildFailed' || reason === 'ImageNotFound';
    if (isLacking && good === undefined && state === 'Running') return false;
    // What crashed while nobody looked is about to be started again.
    if (crashes !== undefined && !stage.containers(name).some(isUp)) return false;
    // Which of two names that differ by case only is read first is nobody's wish, where none of them was valid.
    const twin = names.find((other) => other !== name && other.toLowerCase() === name.toLowerCase());
    if (twin !== undefined && inForce === undefined) return false;
    const { witness } = stage;
    const made = stage.containers(name).flatMap((container) => witness.specsOf(witness.seen(container)));
    const specs = [inForce?.spec, good?.spec, ...made];
    const restless = specs.some((spec) => spec !== undefined && isRestless(spec));
    return !restless || reason === 'Completed';
  });
}

/** Ends by itself, or is restarted for not answering. */
function isRestless(spec: ProgramSpec): boolean {
  return !['serves', 'hangs'].includes(fateOf(spec));
}

function textOf({ root }: SimStage, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

function isUp({ facts }: SimContainer): boolean {
  return facts.state === 'running' || facts.state === 'paused';
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
