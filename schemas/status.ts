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
  createdAt: string;
  startedAt: string;
  readyAt: string;
  updatedAt: string;
  lastExit: LastExit | null;
  memory: ProgramMemory;
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
    createdAt: now,
    startedAt: '',
    readyAt: '',
    updatedAt: now,
    lastExit: null,
    memory: emptyMemory(),
  };
}
