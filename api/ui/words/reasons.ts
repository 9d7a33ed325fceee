import type { ProgramBody } from '../../routes/view.ts';
import { cut, firstLine } from './brief.ts';
import { CHANGE_REASONS } from './change-reasons.ts';
import { HOST_REASONS } from './host-reasons.ts';
import { reasonOf } from './kind.ts';
import type { ReasonWords } from './reason-words.ts';
import { RUN_REASONS } from './run-reasons.ts';

/** All reasons that this page has words for, in the order of the page of reasons. Their lines are cut to length. */
export const REASONS: Readonly<Record<string, ReasonWords>> = Object.fromEntries(
  Object.entries({ ...RUN_REASONS, ...CHANGE_REASONS, ...HOST_REASONS }).map(([name, words]) => [
    name,
    { ...words, brief: (p: ProgramBody) => cut(words.brief(p)) || words.title },
  ]),
);

/** The words of what is the matter with it; undefined where nothing is. */
export function wordsOf(p: ProgramBody): ReasonWords | undefined {
  const reason = reasonOf(p);
  return reason === '' ? undefined : (REASONS[reason] ?? unknown(reason));
}

function unknown(reason: string): ReasonWords {
  return {
    title: reason,
    brief: (p) => cut(firstLine(p.error_msg) || reason),
    says: () => reason,
    more: (p) => p.error_msg,
    look: 'events',
    means: 'This page does not know the word yet.',
    fix: "The host's message is all there is.",
  };
}
