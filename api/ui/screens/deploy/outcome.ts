import type { ProgramBody } from '../../../routes/view.ts';
import { LADDER, type LadderState } from '../../parts/ladder-steps.ts';
import { kindOf } from '../../words/kind.ts';
import type { Progress } from './progress.ts';

/** What a deployment has come to. */
export type Outcome =
  | { kind: 'going'; state: LadderState }
  | { kind: 'failed'; at: LadderState }
  | { kind: 'ready' }
  /** It ran to its end, as its restartPolicy lets it. */
  | { kind: 'ended' }
  | { kind: 'stopped' }
  /** The same was there already, and serves. */
  | { kind: 'same' }
  | { kind: 'notStarted'; why: string }
  /** Somebody deleted it. */
  | { kind: 'gone' };

/** Pure. @param p undefined where it is not there @param wasThere whether it was seen */
export function outcomeOf(
  { moments, failed }: Progress,
  p: ProgramBody | undefined,
  { notStarted, isSame, wasThere }: { notStarted: string; isSame: boolean; wasThere: boolean },
): Outcome {
  if (p === undefined && wasThere) return { kind: 'gone' };
  if (notStarted !== '') return { kind: 'notStarted', why: notStarted };
  if (failed !== undefined) return { kind: 'failed', at: failed.at };
  const state = LADDER.findLast((one) => moments[one] !== undefined) ?? 'Created';
  if (p?.reason === 'Completed') return { kind: 'ended' };
  if (state !== 'Created' && p?.state === 'Stopped') return { kind: 'stopped' };
  if (state === 'Ready') return { kind: 'ready' };
  const isNothingDone = moments.Building === undefined && moments.Starting === undefined;
  if (isSame && isNothingDone && p !== undefined && kindOf(p) === 'fine') return { kind: 'same' };
  return { kind: 'going', state };
}

const TITLES: Record<LadderState, string> = {
  Created: 'Created: its turn comes',
  Building: 'Building',
  Built: 'Built',
  Starting: 'Starting',
  Running: 'Running: asked whether it is ready',
  Ready: 'Ready',
};

const FAILED: Record<LadderState, string> = {
  Created: 'It goes no further',
  Building: 'The build failed',
  Built: 'It goes no further',
  Starting: 'It does not start',
  Running: 'It did not get ready',
  Ready: 'It is no longer ready',
};

export function titleOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'going':
      return TITLES[outcome.state];
    case 'failed':
      return FAILED[outcome.at];
    case 'ready':
      return 'Ready';
    case 'ended':
      return 'It ran to its end';
    case 'stopped':
      return 'Stopped';
    case 'same':
      return 'Nothing has changed';
    case 'notStarted':
      return 'Created, and not started';
    case 'gone':
      return 'It was deleted';
  }
}
