import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '../../../client.ts';
import { createChecker } from '../../parts/editor/checker.ts';
import { inOrder, type TextProblem } from '../../parts/editor/problem.ts';
import { type LineEnds, lineEndsOf, toEditor } from '../../parts/editor/text-change.ts';
import { wordsOfError } from '../../state/acts.ts';
import * as edits from './edit.ts';
import { keptDraft } from './kept-draft.ts';
import type { ManifestStore, StoreDeps } from './manifest-store.ts';
import { nameProblem } from './name-problem.ts';

/** Where a manifest lies while it is edited: what is shown of it, and the looks at what the registry has. */
export interface Desk {
  shown: Pick<ManifestStore, 'edit' | 'failure' | 'isGone' | 'problems' | 'checkFailure' | 'note'>;
  edit: ReadonlySignal<edits.Edit | undefined>;
  /** Gives whether it was done; undefined is not. */
  change(how: (before: edits.Edit) => edits.Edit | undefined, isTyping?: boolean): boolean;
  look(): Promise<void>;
  /** What is being looked at now is older than what is known. */
  passOver(): void;
  /** The next look will tell whether an apply was done. */
  beUnsure(): void;
  tell(problems: readonly TextProblem[]): void;
  note(words: string): void;
  /** Of the registry's file. */
  ends(): LineEnds;
  close(): void;
}

export function createDesk(name: string, { client, storage }: StoreDeps): Desk {
  const edit = signal<edits.Edit | undefined>(undefined);
  const [failure, checkFailure, note] = [signal(''), signal(''), signal('')];
  const isGone = signal(false);
  const problems = signal<readonly TextProblem[]>([]);
  const kept = keptDraft(name, storage);
  let [ends, looks, isUnsure]: [LineEnds, number, boolean] = ['\n', 0, false];

  const checker = createChecker({
    ask: client.validate,
    onAnswer: (answer, text) =>
      batch(() => {
        problems.value = inOrder([...answer.problems, ...nameProblem(answer.name, name, text)]);
        checkFailure.value = '';
      }),
    onError: (error) => {
      checkFailure.value = wordsOfError(error);
    },
  });
  // What is typed is checked when the typing rests; anything else at once.
  const set = (next: edits.Edit, isTyping = false) => {
    const before = edit.peek();
    edit.value = next;
    kept.put(edits.draftOf(next));
    if (before?.text !== next.text) checker.check(next.text, !isTyping);
  };
  const take = (text: string, etag: string) => {
    const [stored, before] = [{ text: toEditor(text), etag }, edit.peek()];
    ends = lineEndsOf(text);
    [isGone.value, failure.value] = [false, ''];
    set(before === undefined ? edits.opened(stored, kept.get()) : edits.seen(before, stored));
    if (isUnsure && before !== undefined) note.value = stored.text === before.text ? WAS_APPLIED : WAS_NOT;
    isUnsure = false;
  };
  const miss = (error: unknown) => {
    isGone.value = error instanceof ApiError && error.status === 404;
    failure.value = wordsOfError(error);
  };
  return {
    shown: { edit, failure, isGone, problems, checkFailure, note },
    edit,
    change(how, isTyping) {
      const before = edit.peek();
      const next = before && how(before);
      if (next !== undefined) set(next, isTyping);
      return next !== undefined;
    },
    async look() {
      const own = ++looks;
      const come = await client.manifest(name).then(
        ({ text, etag }) =>
          () =>
            take(text, etag),
        (error: unknown) => () => miss(error),
      );
      if (own === looks) batch(come);
    },
    passOver: () => void looks++,
    beUnsure: () => {
      isUnsure = true;
    },
    tell: (all) => {
      problems.value = inOrder(all);
    },
    note: (words) => {
      note.value = words;
    },
    ends: () => ends,
    close: checker.close,
  };
}

const WAS_APPLIED = 'It was applied before the host went away.';
const WAS_NOT = 'The host answers again. Your change was not applied.';
