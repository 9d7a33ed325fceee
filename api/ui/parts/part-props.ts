import type { ProgramBody } from '../../routes/view.ts';

/** What every part of a program's page is given: logs, build log, events, … */
export interface PartProps {
  p: ProgramBody;
  /** Only what happened then, epoch milliseconds: a stretch of the timeline. */
  stretch?: { from: number; to: number } | undefined;
  /** A moment to begin at, epoch milliseconds. */
  at?: number | undefined;
}
