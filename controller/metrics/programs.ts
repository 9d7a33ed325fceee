import type { StatusStore } from '../../registry/records/status-store.ts';
import { PROGRAM_STATES } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Figures, Samples } from './kit.ts';

/** What is known of the programs, asked when somebody scrapes. */
export interface ProgramSources {
  statuses: () => StatusStore;
  /** Whether this host has looked at the program: until then nothing counts as Ready. */
  isObserved: (name: string) => boolean;
}

/** Null is unknown. */
export interface UsageCount {
  program: string;
  /** Since the run began. */
  cpuNanos: number | null;
  memoryBytes: number | null;
}

export interface ProgramFigures {
  watch(sources: ProgramSources): void;
  /** What the programs that run have used, asked when somebody scrapes. */
  watchUsage(read: () => readonly UsageCount[]): void;
  /** A probe of the program failed, which was not only starting. */
  probeFailed(name: string, probe: 'readiness' | 'liveness'): void;
  /** The program is no more, and so is what was counted of it. */
  forget(name: string): void;
}

const OF_PROGRAM = ['program'];

export function countPrograms(figures: Figures): ProgramFigures {
  let sources: ProgramSources | undefined;
  /** By program, then by probe. */
  const probeFailures = new Map<string, Map<string, number>>();

  const each = (sample: (status: ProgramStatus) => Samples): Samples => {
    const store = sources?.statuses();
    return (store?.names() ?? []).flatMap((name) => {
      const status = store?.get(name);
      return status === undefined ? [] : [...sample(status)];
    });
  };
  const stateOf = ({ name, state }: ProgramStatus) =>
    state === 'Ready' && sources?.isObserved(name) !== true ? 'Running' : state;

  figures.gauge('hersh_programs', 'Programs by state.', ['state'], () => {
    const counts = new Map<string, number>(PROGRAM_STATES.map((state) => [state, 0]));
    for (const [{ state = '' }] of each((status) => [[{ state: stateOf(status) }, 1]]))
      counts.set(state, (counts.get(state) ?? 0) + 1);
    return [...counts].map(([state, count]) => [{ state }, count] as const);
  });
  figures.gauge('hersh_program_ready', '1 where the program is Ready, else 0.', OF_PROGRAM, () =>
    each((status) => [[{ program: status.name }, stateOf(status) === 'Ready' ? 1 : 0]]),
  );
  figures.gauge(
    'hersh_program_wanted',
    '1 where the program is wanted Running and has not come to its end by itself, else 0.',
    OF_PROGRAM,
    () => each((status) => [[{ program: status.name }, isWanted(status) ? 1 : 0]]),
  );
  figures.gauge(
    'hersh_program_reason',
    '1 for the reason that the program shows; no series where all is well.',
    ['program', 'reason'],
    () => each(({ name: program, reason }) => (reason === '' ? [] : [[{ program, reason }, 1]])),
  );
  figures.total(
    'hersh_program_restarts_total',
    'Automatic restarts in the life of each program.',
    OF_PROGRAM,
    () => each(({ name: program, restartCount }) => [[{ program }, restartCount]]),
  );
  figures.total(
    'hersh_program_probe_failures_total',
    'Probes of each program that failed, without those while it comes up.',
    ['program', 'probe'],
    () =>
      [...probeFailures].flatMap(([program, counts]) =>
        [...counts].map(([probe, count]) => [{ program, probe }, count] as const),
      ),
  );
  figures.gauge('hersh_program_memory_limit_bytes', 'Memory that each program may use.', OF_PROGRAM, () =>
    each(({ name: program, memory }) => {
      const limits = memory.program.inForce?.spec.resources;
      return limits === undefined ? [] : [[{ program }, limits.memoryBytes]];
    }),
  );
  return {
    watchUsage: countUsage(figures),
    watch(given) {
      sources = given;
    },
    probeFailed(name, probe) {
      const counts = probeFailures.get(name) ?? new Map<string, number>();
      probeFailures.set(name, counts.set(probe, (counts.get(probe) ?? 0) + 1));
    },
    forget: (name) => void probeFailures.delete(name),
  };
}

function isWanted({ memory: { program } }: ProgramStatus): boolean {
  const isRunning = program.inForce?.spec.desiredState === 'Running';
  return isRunning && program.rest === undefined && program.deletion === undefined;
}

/** Under the names that others give these of a container. */
function countUsage(figures: Figures): ProgramFigures['watchUsage'] {
  let read: () => readonly UsageCount[] = () => [];
  const known = (value: (count: UsageCount) => number | null): Samples =>
    read().flatMap((count) => {
      const found = value(count);
      return found === null ? [] : [[{ program: count.program }, found] as const];
    });
  figures.total(
    'hersh_program_cpu_usage_seconds_total',
    'CPU time that the run of each program has used, as of the last sample; it begins anew with each run.',
    OF_PROGRAM,
    () => known(({ cpuNanos }) => cpuNanos && cpuNanos / 1e9),
  );
  figures.gauge(
    'hersh_program_memory_working_set_bytes',
    'Memory of each program that runs, without what the kernel gives back when it is needed.',
    OF_PROGRAM,
    () => known(({ memoryBytes }) => memoryBytes),
  );
  return (given) => {
    read = given;
  };
}
