import type { ProgramBody } from '../../routes/view.ts';
import { CHANGE_REASONS } from './change-reasons.ts';
import { HOST_REASONS } from './host-reasons.ts';
import { reasonOf } from './kind.ts';
import type { ReasonWords } from './reason-words.ts';
import { RUN_REASONS } from './run-reasons.ts';

/** All reasons that this page has words for, in the order of the page of reasons. */
export const REASONS: Readonly<Record<string, ReasonWords>> = {
  ...RUN_REASONS,
  ...CHANGE_REASONS,
  ...HOST_REASONS,
};

/** The words of what is the matter with it; undefined where nothing is. */
export function wordsOf(p: ProgramBody): ReasonWords | undefined {
  const reason = reasonOf(p);
  return reason === '' ? undefined : (REASONS[reason] ?? unknown(reason));
}

function unknown(reason: string): ReasonWords {
  return {
    title: reason,
    brief: (p) => p.error_msg || reason,
    says: () => reason,
    more: (p) => p.error_msg,
    look: 'events',
    means: 'This page does not know the word yet.',
    fix: "The host's message is all there is.",
  };
}
