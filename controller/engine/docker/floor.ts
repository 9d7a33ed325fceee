import type Docker from 'dockerode';
import { PROGRAM_PORT } from '../../../schemas/program.ts';

/**
 * What a container lacks of the security contract, as inspect shows it. `createOptions` says it all; here stands what
 * must hold of a container of any host, older ones included: what a newer host asks for beyond that is not missed.
 */

export const STATE_DIR = '/state';
/** The engine's key of the one port that is published. */
export const PORT_KEY = `${PROGRAM_PORT}/tcp`;
/** Who may be let in by a network's name: hosts' bridges, whatever the instance. */
const OUR_NETWORK = /^(?:[a-z0-9][a-z0-9-]*-)?hersh-programs-\d+$/;

/** What no container of a host has any of. */
const NONE_OF = [
  ...(['CapAdd', 'Binds', 'VolumesFrom', 'Devices', 'DeviceRequests', 'DeviceCgroupRules'] as const),
  ...(['GroupAdd', 'Sysctls', 'Links'] as const),
];
/** Namespaces that are the container's own where nothing is said. */
const NAMESPACES = ['PidMode', 'UTSMode', 'UsernsMode'] as const;

/**
 * In words, for people; empty where nothing is.
 * @param holder of one that joins a sandbox: its network is that of the sandbox, where that is there
 */
export function loosenedOf(
  { HostConfig, Mounts }: Docker.ContainerInspectInfo,
  holder?: { found?: Docker.ContainerInspectInfo },
): string[] {
  const net = holder === undefined ? HostConfig : holder.found?.HostConfig;
  const host = HostConfig as Docker.HostConfig & Record<string, unknown>;
  const { MaskedPaths: masked, ReadonlyPaths: readOnly } = host;
  const checks: [boolean, string][] = [
    [host.ReadonlyRootfs === true, 'its root file system is writable'],
    [host.Privileged !== true, 'it is privileged'],
    [(host.CapDrop ?? []).includes('ALL'), 'it has capabilities'],
    [isConfined(host.SecurityOpt), 'its security options are others'],
    // An engine says what it masks; an empty list is somebody's wish.
    [!isEmpty(masked) && !isEmpty(readOnly), 'paths of the kernel are open to it'],
    [host.IpcMode === 'none', 'its /dev/shm is open'],
    [NAMESPACES.every((name) => !host[name]), 'it shares namespaces of the machine'],
    [!net || OUR_NETWORK.test(net.NetworkMode ?? ''), `its network is ${net?.NetworkMode || 'none'}`],
    [!net || isPublishedHere(net), `it is not published on 127.0.0.1 for ${PROGRAM_PORT} alone`],
    [hasOwnMountsOnly(host, Mounts ?? []), `it can write elsewhere than in ${STATE_DIR}`],
    // Of processes, null where none was given; that it was taken away by `docker update` shows as 0 (20.10.24).
    [(host.Memory ?? 0) > 0 && (host.PidsLimit ?? null) !== null, 'it has no limits'],
    ...NONE_OF.map((name): [boolean, string] => [isNone(host[name]), `it has ${name}`]),
  ];
  return checks.flatMap(([holds, words]) => (holds ? [] : words));
}

const isEmpty = (list: unknown): boolean => Array.isArray(list) && list.length === 0;

const isNone = (value: unknown): boolean =>
  value === null || value === undefined || Object.keys(value as object).length === 0;

/** `no-new-privileges`, however it is written, and nothing else: the default profiles hold. */
function isConfined(options: readonly string[] | null | undefined): boolean {
  const said = options ?? [];
  return said.length > 0 && said.every((one) => /^no-new-privileges(?:[:=]true)?$/.test(one));
}

function isPublishedHere({ PortBindings, PublishAllPorts }: Docker.HostConfig): boolean {
  const bindings = (PortBindings ?? {}) as Record<string, { HostIp?: string }[] | null>;
  const own = bindings[PORT_KEY] ?? [];
  const isAlone = Object.keys(bindings).length === 1 && own.length === 1;
  return isAlone && own[0]?.HostIp === '127.0.0.1' && PublishAllPorts !== true;
}

/** Volumes that are read-only but for /state, and memory that nothing can be written to. */
function hasOwnMountsOnly(
  { Mounts: asked, Tmpfs, Runtime }: Docker.HostConfig,
  mounted: Docker.ContainerInspectInfo['Mounts'],
): boolean {
  const places = new Set([...Object.keys(Tmpfs ?? {}), ...(asked ?? []).map(({ Target }) => Target)]);
  const closed = Runtime === 'runsc' ? ['/dev/shm', '/tmp'] : ['/dev'];
  return (
    closed.every((path) => places.has(path)) &&
    Object.values((Tmpfs ?? {}) as Record<string, string>).every((how) => how.split(',').includes('ro')) &&
    (asked ?? []).every(
      (one) => one.Type === 'volume' && (one.ReadOnly === true || one.Target === STATE_DIR),
    ) &&
    mounted.every(
      ({ Type, RW, Destination }) => Type === 'volume' && (RW === false || Destination === STATE_DIR),
    )
  );
}
