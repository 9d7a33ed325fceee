import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { LABELS } from '../../schemas/program.ts';
import type { Program } from '../e2e/host.ts';
import { type Manifest, readManifest, type World } from './world.ts';

/** What is not as the manifests want it; empty when everything is. */
export async function whatIsWrong(world: World): Promise<string[]> {
  const { host } = world;
  const ready = await host.call('GET', '/readyz');
  const wrong: string[] = [];
  if (ready.status !== 200) return [`/readyz: ${ready.text}`];
  for (const warning of (ready.json.warnings ?? []) as string[]) wrong.push(`/readyz warns: ${warning}`);
  const containers = await host.containers();
  const { json } = await host.call('GET', '/programs');
  const listed = new Map((json.programs as Program[]).map((one) => [one.program_id, one]));
  const names = await world.names();
  for (const name of names) {
    const manifest = await readManifest(world, name);
    const own = containers.filter(({ Labels }) => Labels[LABELS.program] === name);
    if (manifest === undefined) wrong.push(`${name}: its manifest is damaged`);
    else wrong.push(...(await wrongWith(world, name, manifest, listed.get(name), own)));
  }
  for (const name of listed.keys())
    if (!names.includes(name)) wrong.push(`${name}: there is no such manifest`);
  for (const { Labels, Names } of containers) {
    if (!names.includes(Labels[LABELS.program] ?? '')) wrong.push(`${Names.join()}: belongs to nobody`);
  }
  const ports = [...listed.values()].map(({ proxy_url }) => proxy_url).filter((url) => url !== '');
  if (new Set(ports).size !== ports.length) wrong.push(`a port twice: ${ports.sort().join(' ')}`);
  return wrong;
}

async function wrongWith(
  world: World,
  name: string,
  { spec }: Manifest,
  program: Program | undefined,
  containers: readonly Docker.ContainerInfo[],
): Promise<string[]> {
  if (program === undefined) return [`${name}: the host does not know it`];
  const said = `${name}: ${program.state} ${program.reason} ${program.error_msg}`.trim();
  const running = containers.filter(({ State }) => State === 'running' || State === 'paused');
  if (spec.desiredState === 'Stopped') {
    const rests = ['Stopped', 'Created'].includes(program.state) && running.length === 0;
    return rests ? [] : [`${said}; ${running.length} run and none should`];
  }
  if (program.state !== 'Ready' || program.reason !== '') return [`${said} instead of Ready`];
  const [one, ...others] = running;
  if (one === undefined || others.length > 0 || containers.length > 1)
    return [`${said}, with ${running.length} running of ${containers.length} containers`];
  const { Config, HostConfig } = await world.host.docker.getContainer(one.Id).inspect();
  const env = new Set(Config.Env);
  const wanted = Object.entries((spec.env ?? {}) as Record<string, string>).map(
    ([key, to]) => `${key}=${to}`,
  );
  const built = await builtOf(world, spec);
  const missing = [...wanted, ...built].filter((entry) => !env.has(entry));
  const wrong = missing.length === 0 ? [] : [`${said}, but runs without ${missing.join()}`];
  if (HostConfig.Memory !== 512 << 20) wrong.push(`${said}, with a memory limit of ${HostConfig.Memory}`);
  if (one.Id !== program.container_id) wrong.push(`${said}, in another container than it says`);
  return [...wrong, ...(await lost(world, program))];
}

/** What the image says of the sources it was made of. */
async function builtOf(world: World, spec: Manifest['spec']): Promise<string[]> {
  const context = (spec.build as { context?: string } | undefined)?.context;
  if (context === undefined) return [];
  const text = await readFile(world.host.path(context, 'Dockerfile'), 'utf8').catch(() => '');
  return [...text.matchAll(/^ENV (BUILT=\d+)$/gm)].map(([, entry]) => entry ?? '');
}

/** Whether the marker is where it was put. */
async function lost(world: World, program: Program): Promise<string[]> {
  const { program_id: name } = program;
  const answer = await world.host.direct(program, '/read?path=/state/marker').catch(() => undefined);
  if (answer === undefined) return [`${name}: Ready, and does not answer on ${program.proxy_url}`];
  if (!world.markers.has(name) || answer.text === name) return [];
  return [`${name}: /state was lost: ${answer.status} ${answer.text}`];
}

/** Puts a marker into `/state` of programs that have none. */
export async function mark(world: World): Promise<void> {
  const { status, json } = await world.host.call('GET', '/programs?state=Ready');
  if (status !== 200) return;
  for (const program of json.programs as Program[]) {
    const name = program.program_id;
    if (world.markers.has(name)) continue;
    const path = `/write?path=/state/marker&data=${encodeURIComponent(name)}`;
    const answer = await world.host.direct(program, path).catch(() => undefined);
    if (answer?.text === 'ok') world.markers.add(name);
  }
}

/** A host that is killed and started has put right by then what somebody started by hand. */
const PUT_RIGHT_MS_MAX = 60_000;

/** Two containers of one program that the host runs at once: never allowed, whatever is going on. */
export async function twins(world: World): Promise<string[]> {
  const containers = await world.host.containers().catch(() => []);
  const isForeign = (id: string) =>
    performance.now() - (world.startedByHand.get(id) ?? Number.NEGATIVE_INFINITY) < PUT_RIGHT_MS_MAX;
  const running = containers
    .filter(({ State, Id }) => State === 'running' && !isForeign(Id))
    .map(({ Labels }) => Labels[LABELS.program]);
  return running.filter((name, index) => running.indexOf(name) !== index).map((name) => `${name} runs twice`);
}
