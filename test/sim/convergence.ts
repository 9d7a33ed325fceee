import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { TEMP_PREFIX } from '../../registry/atomic-write.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ProgramSpec, ProgramStatus } from '../../schemas/program.ts';
import { resolveSpec } from '../../schemas/resolve.ts';
import { specHash } from '../../schemas/spec-hash.ts';
import { stableJson } from '../../schemas/stable-json.ts';
import type { SimContainer } from './engine-world.ts';
import type { SimHost } from './host.ts';
import { behavesWell, exits } from './random-manifest.ts';
import { PORT_RANGE, type SimStage } from './sim-stage.ts';

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
  return [...found, ...leakedPorts(host), ...leftFiles(stage)];
}

function leftFiles({ root }: SimStage): string[] {
  return ['programs', 'status'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.startsWith(TEMP_PREFIX))
      .map((file) => `${folder}/${file} is left over`),
  );
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
    const own = [status?.publishPort, status?.memory.inForce?.spec.publishPort];
    const others = ports.filter((port) => !own.includes(port));
    return others.length > 0 ? `${name} holds the ports ${ports}, and its own are ${own}` : [];
  });
}

async function complaintOf(stage: SimStage, { registry }: SimHost, name: string): Promise<string> {
  const entry = registry.get(name);
  const status = registry.status.get(name);
  const containers = stage.containers(name);
  const up = containers.filter(isUp);
  if (up.length > 1) return `${up.length} containers run`;
  const onDisk = textOf(stage, `programs/${name}.yaml`);
  if (entry?.text !== onDisk) return 'the manifest on the disk is not the one that is known';
  if (status === undefined) {
    if (entry !== undefined) return 'there is no status';
    // Nobody knows of it any more: reported as a stray, and left alone.
    return containers.length === 0 || stage.damaged.has(name) ? '' : 'its containers are left over';
  }
  if (entry === undefined && registry.wanted(name).kind === 'gone') return 'it is not gone yet';
  const ledger = parse(textOf(stage, `status/${name}.yaml`) ?? '') as { status?: object } | null;
  const { name: _, ...inMemory } = status;
  if (stableJson(ledger?.status ?? {}) !== stableJson(inMemory))
    return `its ledger says ${stableJson(ledger?.status)} and not ${stableJson(inMemory)}`;
  const valid = status.conditions.find(({ type }) => type === 'Valid')?.status;
  const expected = entry === undefined ? 'Unknown' : entry.program === undefined ? 'False' : 'True';
  if (valid !== expected) return `Valid is ${valid} and not ${expected}`;
  const last = (await registry.events.list(name)).at(-1);
  // The history of a life before stays, and a new one begins without a word.
  const told = last === undefined || last.reason === 'Deleted' ? 'Created' : last.state;
  if (told !== status.state && !stage.wasFull && !stage.damaged.has(name))
    return `it is ${status.state}, and its last event is of ${told}`;
  const spec =
    entry?.program === undefined ? status.memory.inForce?.spec : resolveSpec(entry.program.rawSpec, 'runc');
  if (spec === undefined)
    return status.reason === 'InvalidManifest' || entry === undefined
      ? ''
      : 'nothing valid was known, and it does not say so';
  if (stableJson(spec) !== stableJson(status.memory.inForce?.spec)) return 'another spec is in force';
  if (spec.desiredState === 'Stopped') return stoppedComplaint(status, containers);
  return runningComplaint(registry, status, spec, containers);
}

function stoppedComplaint(status: ProgramStatus, containers: SimContainer[]): string {
  if (containers.some(isUp)) return 'it runs though it should not';
  if (containers.length > 1) return 'more than one container was kept';
  return ['Stopped', 'Created'].includes(status.state) ? '' : `it is ${status.state} and should be Stopped`;
}

async function runningComplaint(
  registry: Registry,
  status: ProgramStatus,
  wanted: ProgramSpec,
  containers: SimContainer[],
): Promise<string> {
  const { memory, state, reason, errorMsg } = status;
  const is = `it is ${state} ${reason} ${errorMsg}`.trim();
  const [serving] = containers.filter(isUp);
  const { rolledBack, good } = memory;
  const spec =
    rolledBack === undefined ? wanted : { ...(good?.spec ?? wanted), desiredState: 'Running' as const };
  const image =
    rolledBack === undefined
      ? await imageKey(registry, wanted)
      : (good?.imageKey ?? 'a good one, which is lost');
  const hash = specHash(spec, image, status.publishPort);
  const isExact = ({ facts }: SimContainer) => facts.labels['dev.hersh.spec-hash'] === hash;
  const exact = serving !== undefined && isExact(serving);
  if (memory.finished?.specHash === hash && serving === undefined)
    return state === 'Stopped' && spec.restartPolicy !== 'Always' ? '' : `${is}, though it has finished`;
  if (rolledBack !== undefined && !['RolledBack', 'CrashLoopBackOff', ''].includes(reason))
    return `${is}, and it was rolled back`;
  if (reason === 'PortConflict') return spec.publishPort === null ? is : '';
  // What ran to its end needs its sources no more.
  if (image === '' && memory.finished !== undefined && reason === 'Completed')
    return spec.restartPolicy === 'Always' ? `${is}, and its policy is Always` : '';
  const cannotBeBuilt = image === '' || memory.failedBuild?.hash === image;
  if (cannotBeBuilt && !containers.some(isExact)) {
    const fits = reason === 'BuildFailed' || reason === 'ImageNotFound';
    if (!fits) return `${is}, and it can not be built`;
    // The revision that was good goes on serving, unless it was stopped by wish or ended by itself.
    const ended = wasStopped(status) || memory.finished !== undefined || good?.imageKey === image;
    if (good === undefined || serving !== undefined || ended || flaps(good.spec)) return '';
    return `${is}: nothing runs though revision ${good.revision} was good`;
  }
  if (flaps(spec)) return ['Error', 'Starting', 'Running', 'Ready'].includes(state) ? '' : is;
  if (!exact) return `${is}, and the wanted container does not run`;
  if (serving?.facts.state !== 'running') return `${is}, and its container is ${serving?.facts.state}`;
  if (status.containerId !== serving.facts.id) return `${is}, and shows another container`;
  if (spec.readiness.kind === 'none' || behavesWell(spec.env)) {
    if (containers.length > 1) return `${is}, and ${containers.length} containers are kept`;
    if (serving.facts.name !== `hersh-program-${status.name}`)
      return `its container is ${serving.facts.name}`;
    return state === 'Ready' ? '' : `${is} and should be Ready`;
  }
  return state === 'Running' && reason === 'ProgressDeadlineExceeded' ? '' : `${is} and can not become ready`;
}

async function imageKey({ contexts }: Registry, { build, image }: ProgramSpec): Promise<string> {
  if (build === null) return image ?? '';
  return contexts.look(build).then(
    ({ hash }) => hash,
    () => '',
  );
}

/** Programs that nothing needs to be done about, once all is as wanted. */
export function calm(host: SimHost): string[] {
  return host.registry.status.names().filter((name) => {
    const { memory, reason } = host.registry.status.get(name) ?? {};
    const specs = [memory?.inForce?.spec, memory?.good?.spec];
    const waits = memory?.failedStart !== undefined || memory?.failedBuild?.nextAt !== undefined;
    return !waits && reason !== 'PortConflict' && !specs.some((spec) => spec !== undefined && flaps(spec));
  });
}

function wasStopped({ memory }: ProgramStatus): boolean {
  return memory.baseline === undefined || memory.rests === true;
}

/** Ends by itself, or is restarted for not answering. */
function flaps(spec: ProgramSpec): boolean {
  return exits(spec.env) || (spec.liveness.kind !== 'none' && !behavesWell(spec.env));
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
