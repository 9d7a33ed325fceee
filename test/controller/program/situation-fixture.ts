import type { Container, ContainerSettings } from '../../../schemas/container.ts';
import { exitOf } from '../../../schemas/last-exit.ts';
import { emptyMemory, type OfProgram, type ProgramMemory } from '../../../schemas/memory.ts';
import { LABELS, type ProgramSpec } from '../../../schemas/program.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import type { Situation } from '../../../schemas/situation.ts';
import { specHash } from '../../../schemas/spec-hash.ts';

/** The moment all tables play at; its value means nothing. */
export const NOW_MS = Date.parse('2026-11-22T10:00:00.000Z');
export const HASH = 'a'.repeat(64);
export const PORT = 19005;

export function specOf(raw: Record<string, unknown> = {}): ProgramSpec {
  return resolveSpec({ userId: 'me', build: { context: 'sources/x' }, ...raw }, 'runc');
}

/** The spec hash of a container made for this spec, from the fixture's image and port. */
export function hashOf(spec: ProgramSpec, imageKey = HASH): string {
  return specHash(spec, imageKey, PORT);
}

export const SETTINGS: ContainerSettings = {
  memoryBytes: 2 ** 29,
  memorySwapBytes: 2 ** 29,
  memoryReservationBytes: 0,
  kernelMemoryBytes: 0,
  cpus: 1,
  cpuShares: 0,
  cpuPeriod: 0,
  cpuQuota: 0,
  cpuRealtimePeriod: 0,
  cpuRealtimeRuntime: 0,
  cpusetCpus: '',
  cpusetMems: '',
  blkioWeight: 0,
  pids: 256,
  restartPolicy: 'no',
  network: 'programs',
  networks: ['programs'],
  command: [],
  args: ['/server'],
};

/** A container that has run for a second, unless told otherwise. */
export function containerOf(id: string, spec: ProgramSpec, change: Partial<Container> = {}): Container {
  return {
    id,
    name: 'hersh-program-x',
    program: 'x',
    state: 'running',
    labels: { [LABELS.specHash]: hashOf(spec), [LABELS.build]: HASH, [LABELS.revision]: '1' },
    imageId: 'sha256:image',
    createdAtMs: NOW_MS - 2_000,
    startedAtMs: NOW_MS - 1_000,
    finishedAtMs: 0,
    exitCode: 0,
    oomKilled: false,
    oomToldMs: 0,
    startError: '',
    publishPort: PORT,
    servedPort: PORT,
    settings: SETTINGS,
    ...{ stateVolume: '', runtime: 'runc', env: spec.env, loosened: [] },
    ...change,
  };
}

export const EXITED = { state: 'exited', exitCode: 3, finishedAtMs: NOW_MS - 100 } as const;
export const NEVER_RAN = { state: 'created', startedAtMs: 0 } as const;

/** What is remembered, but for the defaults. */
export function memoryOf(
  change: Partial<Omit<ProgramMemory, 'program'>> & { program?: Partial<OfProgram> } = {},
): ProgramMemory {
  const empty = emptyMemory();
  return { ...empty, ...change, program: { ...empty.program, ...change.program } };
}

/** That a container ended by itself, and that it counts. */
export function crashOf(
  container: Container,
  count: number,
  nextAt: string,
): Pick<Situation, 'memory' | 'lastExit'> {
  const run = { startedAtMs: container.startedAtMs, end: 'crashed' } as const;
  return {
    memory: memoryOf({ containers: { [container.id]: { run } }, starts: { crashes: { count, nextAt } } }),
    lastExit: exitOf(container, ''),
  };
}

/** A program that should run, with its image there and no container. */
export function situationOf(spec: ProgramSpec, change: Partial<Situation> = {}): Situation {
  return {
    name: 'x',
    containerName: 'hersh-program-x',
    goal: { kind: spec.desiredState === 'Running' ? 'run' : 'stop', spec },
    containers: [],
    strangers: [],
    imageKey: HASH,
    buildId: 'build-aaaaaaaaaaaa',
    image: { kind: 'present', id: 'sha256:image' },
    port: PORT,
    shownPort: PORT,
    portProblem: undefined,
    stopping: new Set(),
    probes: new Map(),
    memory: memoryOf({ program: { startRequested: true } }),
    rollback: undefined,
    rolloutMs: Math.max(
      0,
      ...(change.containers ?? []).map((one) => one.startedAtMs && NOW_MS - one.startedAtMs),
    ),
    ...{ rollouts: {}, pending: [], answers: {} },
    lastExit: null,
    nowMs: NOW_MS,
    ...change,
  };
}

/** Probe states of containers that answer. */
export function ready(...ids: string[]): Situation['probes'] {
  return new Map(ids.map((id) => [id, { ready: true, live: undefined, message: '' }]));
}
