import type Docker from 'dockerode';
import type { Container, ContainerState, ContainerSummary } from '../../../schemas/container.ts';
import { LABELS, PROGRAM_PORT } from '../../../schemas/program.ts';
import { settingsOf } from './container-settings.ts';
import { loosenedOf, PORT_KEY, STATE_DIR } from './floor.ts';

/** Between the port's words and the Docker API's. Pure: no engine, no clock. */

/**
 * Inspect's answer as the port gives it.
 * @param oomToldMs when its `oom` event was; inspect never learns of one that came after the end, which happens
 *   (about 1 in 60 on a busy machine)
 */
export function containerOf(inspected: Docker.ContainerInspectInfo, oomToldMs = 0): Container {
  const { State: state, Config: config, HostConfig: host, NetworkSettings: net } = inspected;
  const labels = config.Labels ?? {};
  const bindings = (host.PortBindings ?? {}) as Record<string, { HostPort?: string }[] | null>;
  const served = (net?.Ports ?? {}) as typeof bindings;
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
    publishPort: portIn(bindings),
    servedPort: state.Running ? portIn(served) : 0,
    settings: settingsOf(inspected),
    stateVolume: inspected.Mounts?.find(({ Destination }) => Destination === STATE_DIR)?.Name ?? '',
    runtime: host.Runtime ?? '',
    env: Object.fromEntries((config.Env ?? []).map(envEntry)),
    loosened: loosenedOf(inspected),
  };
}

/** Of the engine's table of ports; 0 where there is none. */
function portIn(table: Record<string, { HostPort?: string }[] | null>): number {
  const port = Number(table[PORT_KEY]?.[0]?.HostPort ?? 0);
  return Number.isInteger(port) ? port : 0;
}

/** `KEY=a=b` has the value `a=b`; one without a value has none. */
function envEntry(text: string): [string, string] {
  const [key = ''] = text.split('=', 1);
  return [key, text.slice(key.length + 1)];
}

/** A row of the container list as the port gives it. */
export function summaryOf(listed: Docker.ContainerInfo): ContainerSummary {
  return {
    id: listed.Id,
    name: (listed.Names?.[0] ?? '').replace(/^\//, ''),
    program: listed.Labels?.[LABELS.program] ?? '',
    state: listed.State as ContainerState,
    servedPort: listed.Ports?.find(({ PrivatePort }) => PrivatePort === PROGRAM_PORT)?.PublicPort ?? 0,
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
