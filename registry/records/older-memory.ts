import type { LastExit } from '../../schemas/last-exit.ts';
import {
  emptyMemory,
  type Made,
  type OfContainer,
  type OfProgram,
  type ProgramMemory,
  type Rollout,
  type RunEnd,
  type Starts,
} from '../../schemas/memory.ts';

/** What hosts up to 0.1.0 remembered: each field by itself. */
interface OlderMemory {
  inForce?: NonNullable<OfProgram['inForce']>;
  deleted?: true;
  deletedBy?: string;
  startRequested?: boolean;
  restartedAtSeen?: string;
  volume?: string;
  baseline?: { containerId: string; settings: object; removed?: true };
  baselineBefore?: { containerId: string; settings: object };
  /** Runs are `<container id>@<startedAtMs>`. */
  exitSeen?: string;
  rests?: true;
  unhealthyRun?: string;
  stopsAsked?: string[];
  backOff?: NonNullable<Starts['crashes']>;
  lastBuild?: string;
  failedBuild?: { hash: string; reason: string; message: string; attempts: number; nextAt: string };
  failedStart?: NonNullable<Starts['failed']>;
  finished?: { specHash: string; exitCode: number; overtaken?: true };
  rolledBack?: { attempt: string; revision: number; reason: string; message: string; nextAt?: string };
  refusedStarts?: { attempt: string; count: number };
  good?: Made;
  latestRevision?: { number: number; hash: string };
}

/** Whether a memory, as a ledger has it, is of the older form. */
export function isOlder(memory: object): boolean {
  return !('program' in memory);
}

/** The same in today's form. The older host's last exit did not say which run it was of: its memory did. */
export function turnedOver<T extends Omit<LastExit, 'run'>>(
  memory: object,
  lastExit: T | null,
): { memory: ProgramMemory; lastExit: (T & LastExit) | null } {
  const older = memory as OlderMemory;
  const { failedBuild, backOff, failedStart, exitSeen = '' } = older;
  return {
    memory: {
      program: programOf(older),
      rollout: rolloutOf(older),
      ...(failedBuild && { failedImage: imageOf(failedBuild) }),
      containers: containersOf(older),
      starts: { ...(backOff && { crashes: backOff }), ...(failedStart && { failed: failedStart }) },
    },
    lastExit: lastExit && { ...lastExit, run: exitSeen },
  };
}

function imageOf({ hash: key, ...failure }: NonNullable<OlderMemory['failedBuild']>) {
  return { key, ...failure };
}

function programOf(older: OlderMemory): OfProgram {
  const { inForce, deleted, deletedBy = '', volume, latestRevision, baseline, rests, finished } = older;
  const { startRequested, restartedAtSeen, lastBuild, ...others } = emptyMemory().program;
  return {
    ...others,
    startRequested: older.startRequested ?? startRequested,
    restartedAtSeen: older.restartedAtSeen ?? restartedAtSeen,
    lastBuild: older.lastBuild ?? lastBuild,
    ...(inForce && { inForce }),
    ...(deleted === true && { deletion: { commit: deletedBy } }),
    ...(volume !== undefined && { volume }),
    ...(latestRevision && { newest: latestRevision }),
    ...(baseline && { served: { id: baseline.containerId, removed: baseline.removed === true } }),
    ...(rests === true && { rest: { why: 'asked' } }),
    ...(finished && { rest: { why: 'finished', overtaken: false, ...finished } }),
  };
}

/** Which attempt is wanted stood there only where it was rolled back, or refused; else the next look finds it. */
function rolloutOf({ good, rolledBack, refusedStarts }: OlderMemory): Rollout {
  const attempt = rolledBack?.attempt ?? refusedStarts?.attempt ?? '';
  const refusals = refusedStarts?.attempt === attempt ? refusedStarts.count : 0;
  if (good === undefined) return { verdict: 'new', attempt, refusals };
  if (rolledBack === undefined) return { verdict: 'new', attempt, refusals, good };
  return { verdict: 'bad', refusals, good, ...rolledBack };
}

function containersOf(older: OlderMemory): Record<string, OfContainer> {
  const containers: Record<string, OfContainer> = {};
  for (const one of [older.baselineBefore, older.baseline])
    if (one !== undefined) containers[one.containerId] = { settings: one.settings };
  // Later ones count: what was asked for is no crash.
  const { unhealthyRun, exitSeen, stopsAsked = [], finished, backOff } = older;
  const seen: RunEnd = finished !== undefined && backOff === undefined ? 'finished' : 'crashed';
  const ends: [string | undefined, RunEnd][] = [
    [unhealthyRun, 'unhealthy'],
    [exitSeen, seen],
    ...stopsAsked.map((run): [string, RunEnd] => [run, 'asked']),
  ];
  for (const [run, end] of ends) {
    const [id = '', started = ''] = run?.split('@') ?? [];
    const startedAtMs = Number(started);
    const known = containers[id]?.run;
    if (id === '' || (known !== undefined && known.startedAtMs > startedAtMs)) continue;
    containers[id] = { ...containers[id], run: { startedAtMs, end } };
  }
  return containers;
}
