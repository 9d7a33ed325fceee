import type Docker from 'dockerode';
import type { Container, ContainerSummary } from '../../../schemas/container.ts';
import { LABELS } from '../../../schemas/program.ts';
import { isOwn, type Labels, type Owner } from '../owner.ts';
import { type Connection, STOP_SLACK_MS } from './client.ts';
import { absent, engineError, isUnavailable, refused, statusOf } from './errors.ts';
import { holderOf, listHolders, ownerOfRow } from './holders.ts';
import { containerOf, holderIn, summaryOf } from './translate.ts';

/** See `Engine.listContainers`. */
export async function listContainers(
  docker: Docker,
  owner: Owner,
  program?: string,
): Promise<ContainerSummary[]> {
  const owned = `${LABELS.instance}=${owner.instance}`;
  const label = program === undefined ? [owned] : [owned, `${LABELS.program}=${program}`];
  const listed = await refused(docker.listContainers({ all: true, filters: { label } }), 'InternalError');
  const joined = listed
    .map((one) => holderIn(one.HostConfig.NetworkMode, one.Labels))
    .filter((id) => id !== '');
  const found = joined.length > 0 ? await listHolders(docker, owner, program, joined) : [];
  const holders = new Map(found.map((one) => [one.Id, one]));
  // Docker gives the newest first, by a clock finer than the seconds it tells.
  return listed
    .reverse()
    .filter(({ Labels }) => isOwn(owner, Labels))
    .map((one) => summaryOf(one, ownHolder(one, holders)));
}

/** The sandbox that it joins, where that is its program's. */
function ownHolder(
  { HostConfig, Labels }: Docker.ContainerInfo,
  holders: ReadonlyMap<string, Docker.ContainerInfo>,
): Docker.ContainerInfo | undefined {
  const holder = holders.get(holderIn(HostConfig.NetworkMode, Labels));
  const program = Labels[LABELS.program];
  return holder !== undefined && (ownerOfRow(holder) ?? program) === program ? holder : undefined;
}

/** The labels of every container and volume of an instance, whichever registry's. */
export async function listLabels(docker: Docker, instance: string): Promise<Labels[]> {
  const filters = { label: [`${LABELS.instance}=${instance}`] };
  const containers = await refused(docker.listContainers({ all: true, filters }), 'InternalError');
  const { Volumes } = await refused(docker.listVolumes({ filters }), 'InternalError');
  return [...containers, ...(Volumes ?? [])].map(({ Labels }) => Labels ?? {});
}

/** What is known of containers beside what a look at them shows, by id. */
export interface Seen {
  /** When one was told to be out of memory, epoch milliseconds. */
  ooms: Map<string, number>;
  /** The sandbox that it joins, `""` for none: that never changes, so nobody asks twice. */
  joined: Map<string, string>;
  addressOf: (found: Docker.ContainerInspectInfo) => Promise<string>;
}

export async function inspectContainer(
  docker: Docker,
  id: string,
  { ooms, joined, addressOf }: Seen,
): Promise<Container | undefined> {
  const found = await absent(docker.getContainer(id).inspect(), [404], 'InternalError');
  if (found === undefined) return undefined;
  joined.set(found.Id, holderIn(found.HostConfig.NetworkMode, found.Config.Labels));
  const holder = await holderOf(docker, found);
  const container = containerOf(found, ooms.get(found.Id) ?? 0, holder);
  const address = container.servedPort === 0 ? '' : await addressOf(holder?.found ?? found);
  return { ...container, ...(address !== '' && { address }) };
}

/** See `Engine.stopContainer`. */
export async function stopContainer(docker: Docker, id: string, graceSeconds: number): Promise<void> {
  const t = Math.max(0, Math.ceil(graceSeconds));
  const abortSignal = AbortSignal.timeout(t * 1000 + STOP_SLACK_MS);
  await absent(docker.getContainer(id).stop({ t, abortSignal }), [304, 404], 'StartFailed');
}

/** See `Engine.unpauseContainer`. @param joins see `startContainer` */
export async function unpauseContainer(connection: Connection, id: string, joins?: string): Promise<void> {
  const call = connection.quick.getContainer(id).unpause();
  await unlessSo(connection, id, [304, 404], call, ({ State }) => State.Paused === false);
  if (joins === '') return;
  const found = await absent(connection.look.getContainer(id).inspect(), [404], 'InternalError');
  const holder = found && (await holderOf(connection.look, found));
  if (holder?.found?.State.Paused) await unpauseContainer(connection, holder.id, '');
}

/** See `Engine.renameContainer`. */
export async function renameContainer(connection: Connection, id: string, name: string): Promise<void> {
  const call = connection.quick.getContainer(id).rename({ name });
  await unlessSo(connection, id, [404], call, ({ Name }) => Name === `/${name}`);
}

/** Awaits a change. One that was refused is as good where the container is already as it should become. */
async function unlessSo(
  { look }: Connection,
  id: string,
  settled: number[],
  change: Promise<unknown>,
  isSo: (found: Docker.ContainerInspectInfo) => boolean,
): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (settled.includes(statusOf(error))) return;
    const failure = engineError(error, 'StartFailed');
    if (isUnavailable(failure)) throw failure;
    const container = look.getContainer(id);
    const found = await container.inspect().catch(() => undefined);
    if (found === undefined || !isSo(found)) throw failure;
  }
}
