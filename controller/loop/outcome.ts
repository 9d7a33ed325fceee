import type { ProgramStatus } from '../../schemas/status.ts';
import { afterDeed, type Deed } from '../program/deed.ts';

/** The status after an action, and whether the pass may go on with the next. */
export interface Outcome {
  status: ProgramStatus;
  goOn: boolean;
}

/** The status with what is remembered of a deed. */
export function withDeed(status: ProgramStatus, deed: Deed): ProgramStatus {
  return { ...status, memory: afterDeed(status.memory, deed) };
}
