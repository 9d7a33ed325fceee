import type { LastExit } from './last-exit.ts';
import { emptyMemory, type ProgramMemory } from './memory.ts';
import { type Condition, type ProgramState, proxyUrl, timestamp } from './program.ts';

/** `status/<name>.yaml`. */
export interface ProgramStatus {
  name: string;
  state: ProgramState;
  reason: string;
  errorMsg: string;
  observedGeneration: number;
  /** HEAD when manifest and sources were last seen as it has them; looked at again within a minute. Or `""`. */
  observedRevision: string;
  currentRevision: number;
  conditions: Condition[];
  userId: string;
  buildId: string;
  imageId: string;
  containerId: string;
  publishPort: number;
  proxyUrl: string;
  restartCount: number;
  /** When it was restarted within the hour before the last restart, see `withRestart`; oldest first. */
  recentRestarts: string[];
  createdAt: string;
  startedAt: string;
  readyAt: string;
  updatedAt: string;
  lastExit: LastExit | null;
  /** What is wrong; also between two tries of it, when no reason is told. */
  trouble: Trouble | null;
  memory: ProgramMemory;
}

export interface Trouble {
  reason: string;
  since: string;
}

/** The status of a program nothing is known about yet. */
export function emptyStatus(name: string, nowMs: number): ProgramStatus {
  const now = timestamp(nowMs);
  return {
    name,
    state: 'Created',
    reason: '',
    errorMsg: '',
    observedGeneration: 0,
    observedRevision: '',
    currentRevision: 0,
    conditions: [],
    userId: '',
    buildId: '',
    imageId: '',
    containerId: '',
    publishPort: 0,
    proxyUrl: proxyUrl(0),
    restartCount: 0,
    recentRestarts: [],
    createdAt: now,
    startedAt: '',
    readyAt: '',
    updatedAt: now,
    lastExit: null,
    trouble: null,
    memory: emptyMemory(),
  };
}

const HOUR_MS = 60 * 60_000;
/** More in an hour are somebody's own doing, and are told as so many. */
const RECENT_RESTARTS_MAX = 100;

/** Counts a restart. @param nowMs epoch milliseconds */
export function withRestart(status: ProgramStatus, nowMs: number): ProgramStatus {
  const { restartCount, recentRestarts } = status;
  const recent = [...recentRestarts.filter((at) => isWithinHour(at, nowMs)), timestamp(nowMs)];
  const kept = recent.slice(-RECENT_RESTARTS_MAX);
  return { ...status, restartCount: restartCount + 1, recentRestarts: kept };
}

/** How often it was restarted in the last hour, and when that will be less; epoch milliseconds. */
export function restartsInHour(status: ProgramStatus, nowMs: number): { count: number; untilMs?: number } {
  const recent = status.recentRestarts.filter((at) => isWithinHour(at, nowMs));
  const [oldest] = recent;
  if (oldest === undefined) return { count: 0 };
  return { count: recent.length, untilMs: Date.parse(oldest) + HOUR_MS };
}

/** Not by a clock that was ahead, either. */
function isWithinHour(at: string, nowMs: number): boolean {
  const ms = Date.parse(at);
  return ms > nowMs - HOUR_MS && ms <= nowMs;
}
