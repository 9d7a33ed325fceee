import type Docker from 'dockerode';
import type {
  Container,
  ContainerSettings,
  ContainerState,
  ContainerSummary,
  Sandbox,
} from '../../../schemas/container.ts';
import { LABELS, PROGRAM_PORT } from '../../../schemas/program.ts';
import type { Labels } from '../owner.ts';
import { settingsOf } from './container-settings.ts';
import { loosenedOf, PORT_KEY, STATE_DIR } from './floor.ts';

/** Between the port's words and the Docker API's. Pure: no engine, no clock. */

/** The sandbox that a container joins, by its id, and what inspect says of it where it is there. */
export interface Holder {
  id: string;
  found?: Docker.ContainerInspectInfo;
}

/**
 * Inspect's answer as the port gives it.
 * @param oomToldMs when its `oom` event was; inspect never learns of one that came after the end, which happens
 *   (about 1 in 60 on a busy machine)
 */
export function containerOf(
  inspected: Docker.ContainerInspectInfo,
  oomToldMs = 0,
  holder?: Holder,
): Container {
  const { State: state, Config: config, HostConfig: host } = inspected;
  const labels = config.Labels ?? {};
  const networked = holder === undefined ? inspected : holder.found;
  const served = (networked?.NetworkSettings?.Ports ?? {}) as Table;
  return {
    id: inspected.Id,
    name: inspected.Name.replace(/^\//, ''),
    program: labels[LABELS.program] ?? '',
    state: state.Status as ContainerState,
    labels,
    imageId: inspected.Image,
    createdAtMs: epochMs(inspected.Created),
    startedAtMs: epochMs(state.StartedAt),
    finishedAtMs: epochMs(state.FinishedAt),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled || (!state.Running && oomToldMs > epochMs(state.StartedAt)),
    oomToldMs,
    startError: state.Error ?? '',
    publishPort: publishedPort(networked ?? inspected),
    servedPort: state.Running && isIn(inspected, holder) ? portIn(served) : 0,
    settings: {
      ...settingsOf(inspected),
      ...(holder && networksOf(holder.found)),
    },
    stateVolume: inspected.Mounts?.find(({ Destination }) => Destination === STATE_DIR)?.Name ?? '',
    runtime: host.Runtime ?? '',
    env: Object.fromEntries((config.Env ?? []).map(envEntry)),
    ...(holder && { sandbox: { id: holder.id, state: stateOf(holder.found) } }),
    loosened: loosenedOf(inspected, holder),
  };
}

/** Where somebody has taken the sandbox away, the port is still what the container was made for. */
export function publishedPort({
  HostConfig: host,
  Config: { Labels: labels },
}: Pick<Docker.ContainerInspectInfo, 'HostConfig' | 'Config'>): number {
  return portIn((host.PortBindings ?? {}) as Table) || Number(labels?.[LABELS.sandboxPort]) || 0;
}

/** Whether its network is the one that it is published by: a sandbox that was started again has another. */
function isIn({ State: state }: Docker.ContainerInspectInfo, holder: Holder | undefined): boolean {
  if (holder === undefined) return true;
  const { State: its } = holder.found ?? {};
  return its?.Running === true && epochMs(its.StartedAt) <= epochMs(state.StartedAt);
}

function networksOf(
  found: Docker.ContainerInspectInfo | undefined,
): Pick<ContainerSettings, 'network' | 'networks'> {
  if (found === undefined) return { network: '', networks: [] };
  const { network, networks } = settingsOf(found);
  return { network, networks };
}

const stateOf = (found: Docker.ContainerInspectInfo | undefined): ContainerState | 'gone' =>
  found === undefined ? 'gone' : (found.State.Status as ContainerState);

/** The id of the sandbox that a container joins; `""` where its network is its own, or somebody else's. */
export function holderIn(networkMode: string | undefined, labels: Labels | undefined): string {
  const id = /^container:([0-9a-f]{64})$/.exec(networkMode ?? '')?.[1] ?? '';
  return labels?.[LABELS.sandboxPort] === undefined ? '' : id;
}

/** A row of the container list as the port gives a sandbox. */
export function sandboxOf(row: Docker.ContainerInfo, program: string): Sandbox {
  const { Id: id, Names, State, Labels: labels = {}, Created, HostConfig, NetworkSettings: its } = row;
  const address = its?.Networks?.[HostConfig?.NetworkMode ?? '']?.IPAddress ?? '';
  return {
    ...{ createdAtMs: Created * 1000, address },
    ...{ id, name: (Names?.[0] ?? '').replace(/^\//, ''), program },
    ...{ state: State as ContainerState, publishPort: Number(labels[LABELS.sandboxPort]) || 0 },
  };
}

/** The engine's table of ports. */
type Table = Record<string, { HostPort?: string }[] | null>;

/** 0 where there is none. */
function portIn(table: Table): number {
  const port = Number(table[PORT_KEY]?.[0]?.HostPort ?? 0);
  return Number.isInteger(port) ? port : 0;
}

/** `KEY=a=b` has the value `a=b`; one without a value has none. */
function envEntry(text: string): [string, string] {
  const [key = ''] = text.split('=', 1);
  return [key, text.slice(key.length + 1)];
}

/** A row of the container list as the port gives it. @param holder that of the sandbox that it joins */
export function summaryOf(listed: Docker.ContainerInfo, holder?: Docker.ContainerInfo): ContainerSummary {
  const isUp = ['running', 'paused'].includes(listed.State);
  const ports = holder === undefined ? listed.Ports : isUp ? holder.Ports : [];
  return {
    id: listed.Id,
    name: (listed.Names?.[0] ?? '').replace(/^\//, ''),
    program: listed.Labels?.[LABELS.program] ?? '',
    state: listed.State as ContainerState,
    servedPort: ports?.find(({ PrivatePort }) => PrivatePort === PROGRAM_PORT)?.PublicPort ?? 0,
    labels: listed.Labels ?? {},
  };
}

/** Go's zero time and nonsense are 0. */
export function epochMs(time: string | undefined): number {
  const ms = Date.parse(time ?? '');
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

/**
 * Whether a text can be an image reference or id. It becomes part of a URL's path, so nothing that could
 * lead that path elsewhere gets through.
 */
export function isImageReference(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,511}$/.test(text) && !/(^|\/)\.{0,2}(\/|$)/.test(text);
}

/** Splits a reference for the pull call; without tag and digest it is `latest`, or every tag would come. */
export function pullTarget(reference: string): { fromImage: string; tag: string } {
  const at = reference.indexOf('@');
  if (at >= 0) return { fromImage: reference.slice(0, at), tag: reference.slice(at + 1) };
  const colon = reference.lastIndexOf(':');
  if (colon > reference.lastIndexOf('/')) {
    return { fromImage: reference.slice(0, colon), tag: reference.slice(colon + 1) };
  }
  return { fromImage: reference, tag: 'latest' };
}
