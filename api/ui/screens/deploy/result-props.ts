import type { Build } from '../../../../schemas/build-step.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import type { Sent } from './draft.ts';
import type { Outcome } from './outcome.ts';
import type { Progress } from './progress.ts';

/** What is shown of how a deployment goes, and how it ended. */
export interface ResultProps {
  sent: Sent;
  p: ProgramBody | undefined;
  outcome: Outcome;
  progress: Progress;
  build: Build | undefined;
}
