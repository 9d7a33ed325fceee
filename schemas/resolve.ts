import type {
  BuildSpec,
  HttpProbe,
  ProbeSpec,
  ProgramSpec,
  Resources,
  RestartPolicy,
  Runtime,
} from './program.ts';
import type { ProxyAccess } from './token.ts';

/** Bytes per suffix of a memory quantity, as Kubernetes writes them. */
const MEMORY_UNITS: Record<string, number> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The engine refuses less (Docker: "Minimum memory limit allowed is 6MB"). */
export const MEMORY_BYTES_MIN = 6 * 2 ** 20;

/** Folders of the registry that no build context includes, even one that is the registry itself. */
export const RESERVED_FOLDERS: readonly string[] = ['.git', 'status', 'data'];

/** Folders that a context which is the registry itself does not include either: they are no sources of a program. */
export const ROOT_FOLDERS_LEFT_OUT: readonly string[] = [...RESERVED_FOLDERS, 'programs', 'secrets'];

/** gVisor's own threads count against the limit: 38 when idle, and running out kills the program. */
export const RUNSC_PIDS_MIN = 1024;

/** `512Mi`, `1.5G` or a number of bytes → bytes; undefined where it is none of these. */
export function parseMemory(quantity: unknown): number | undefined {
  if (typeof quantity === 'number') return Number.isSafeInteger(quantity) ? quantity : undefined;
  if (typeof quantity !== 'string') return undefined;
  const match = /^(\d{1,15}(?:\.\d{1,9})?)([kKMGT]i?|)$/.exec(quantity);
  const unit = MEMORY_UNITS[match?.[2] ?? '?'];
  if (match === null || unit === undefined) return undefined;
  const bytes = Math.floor(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

type Raw = Record<string, unknown>;

/**
 * Fills in every default. `raw` has passed `validateManifest`.
 * @param hostRuntime the runtime of programs that name none
 */
export function resolveSpec(raw: Raw, hostRuntime: Runtime): ProgramSpec {
  const runtime = (raw.runtime as Runtime | undefined) ?? hostRuntime;
  return {
    userId: raw.userId as string,
    desiredState: raw.desiredState === 'Stopped' ? 'Stopped' : 'Running',
    build: raw.build === undefined ? null : resolveBuild(raw.build as Raw),
    image: (raw.image as string | undefined) ?? null,
    ...(raw.pullPolicy === 'Always' && { pullPolicy: 'Always' as const }),
    ...(raw.proxyAccess !== undefined && { proxyAccess: raw.proxyAccess as ProxyAccess }),
    publishPort: (raw.publishPort as number | undefined) ?? null,
    runtime,
    ...listOf('command', raw),
    ...listOf('args', raw),
    env: { ...((raw.env as Record<string, string> | undefined) ?? {}) },
    restartPolicy: (raw.restartPolicy as RestartPolicy | undefined) ?? 'Always',
    restartedAt: (raw.restartedAt as string | undefined) ?? '',
    stopGracePeriodSeconds: (raw.stopGracePeriodSeconds as number | undefined) ?? 10,
    resources: resolveResources((raw.resources as Raw | undefined) ?? {}, runtime),
    readiness: resolveProbe((raw.readiness as Raw | undefined) ?? {}),
    liveness: raw.liveness === undefined ? { kind: 'none' } : resolveProbe(raw.liveness as Raw),
    progressDeadlineSeconds: (raw.progressDeadlineSeconds as number | undefined) ?? 60,
  };
}

/** An empty list says the same as none. */
function listOf<K extends 'command' | 'args'>(field: K, raw: Raw): { [_ in K]?: string[] } {
  const list = (raw[field] as string[] | undefined) ?? [];
  return list.length === 0 ? {} : ({ [field]: [...list] } as { [_ in K]: string[] });
}

/** A resolved spec as a manifest would say it, with every default written out: `resolveSpec` gives the same again. */
export function writtenOut(spec: ProgramSpec): Raw {
  const { build, image, publishPort, restartedAt, resources, readiness, liveness, ...rest } = spec;
  const { memoryBytes, cpus, pids } = resources;
  const MiB = 2 ** 20;
  const memory = memoryBytes % MiB === 0 ? `${memoryBytes / MiB}Mi` : String(memoryBytes);
  return {
    ...rest,
    ...(build !== null && { build }),
    ...(image !== null && { image }),
    pullPolicy: spec.pullPolicy ?? 'IfNotPresent',
    ...(publishPort !== null && { publishPort }),
    ...(restartedAt !== '' && { restartedAt }),
    resources: { memory, cpus, pids },
    readiness: writtenProbe(readiness),
    liveness: writtenProbe(liveness),
  };
}

function writtenProbe(probe: ProbeSpec): Raw {
  if (probe.kind === 'none') return { none: true };
  const { kind, ...fields } = probe;
  return kind === 'tcp' ? { tcp: true, ...fields } : fields;
}

/**
 * A spec that was resolved before, under what the host allows now: one that runs programs under runsc only does so
 * for specs from before that, too.
 */
export function underPolicy(spec: ProgramSpec, hostRuntime: Runtime): ProgramSpec {
  if (hostRuntime !== 'runsc' || spec.runtime === 'runsc') return spec;
  const pids = Math.max(RUNSC_PIDS_MIN, spec.resources.pids);
  return { ...spec, runtime: 'runsc', resources: { ...spec.resources, pids } };
}

function resolveBuild(raw: Raw): BuildSpec {
  return {
    context: normaliseFolder(raw.context as string),
    dockerfile: normaliseFolder((raw.dockerfile as string | undefined) ?? 'Dockerfile'),
    args: { ...((raw.args as Record<string, string> | undefined) ?? {}) },
  };
}

/** `./a//b/` and `a/b` are one folder; the root is `.`. */
export function normaliseFolder(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 ? '.' : parts.join('/');
}

function resolveResources(raw: Raw, runtime: Runtime): Resources {
  return {
    memoryBytes: parseMemory(raw.memory ?? '512Mi') ?? 512 * 2 ** 20,
    cpus: (raw.cpus as number | undefined) ?? 1,
    pids: (raw.pids as number | undefined) ?? (runtime === 'runsc' ? RUNSC_PIDS_MIN : 256),
  };
}

function resolveProbe(raw: Raw): ProbeSpec {
  if (raw.none === true) return { kind: 'none' };
  const timing = {
    periodSeconds: (raw.periodSeconds as number | undefined) ?? 2,
    timeoutSeconds: (raw.timeoutSeconds as number | undefined) ?? 2,
    failureThreshold: (raw.failureThreshold as number | undefined) ?? 3,
  };
  if (raw.tcp === true) return { kind: 'tcp', ...timing };
  const { headers = {}, expect } = raw as Pick<HttpProbe, 'headers' | 'expect'>;
  return {
    kind: 'http',
    path: (raw.path as string | undefined) ?? '/watcher/status',
    ...(Object.keys(headers).length > 0 && { headers: { ...headers } }),
    ...(expect !== undefined && { expect: [...expect] }),
    ...timing,
  };
}
