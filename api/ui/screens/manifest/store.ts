import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { ApiError, type Client } from '../../../client.ts';
import type { DryRun } from '../../../deps.ts';
import { createChecker } from '../../parts/editor/checker.ts';
import { inOrder, type TextProblem } from '../../parts/editor/problem.ts';
import { fromEditor, type LineEnds, lineEndsOf, toEditor } from '../../parts/editor/text-change.ts';
import { wordsOfError } from '../../state/acts.ts';
import * as edits from './edit.ts';
import { nameProblem } from './name-problem.ts';

export interface StoreDeps {
  client: Pick<Client, 'manifest' | 'validate' | 'putManifest' | 'dryRun'>;
  /** Of the tab. */
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  now: () => number;
}

/** What became of an apply. `unsure`: the host went away meanwhile. */
export type Applied = { kind: 'done' | 'stale' | 'gone' | 'unsure' } | { kind: 'refused'; text: string };

/** The manifest of one program, between the registry and whoever edits it. */
export interface ManifestStore {
  /** Undefined before the first look has succeeded. */
  edit: ReadonlySignal<edits.Edit | undefined>;
  /** Why the last look failed; `""` where it did not. */
  failure: ReadonlySignal<string>;
  /** Whether the registry has no such manifest any more. */
  isGone: ReadonlySignal<boolean>;
  problems: ReadonlySignal<readonly TextProblem[]>;
  /** Why the text could not be checked; `""` where it was. */
  checkFailure: ReadonlySignal<string>;
  /** What became of an apply that the host went away from, once that is known. */
  note: ReadonlySignal<string>;
  /** Looks at what the registry has. Nothing that was typed is lost for it. */
  look(): Promise<void>;
  type(text: string): void;
  undo(): void;
  takeTheirs(): void;
  /** Gives whether the two went together. */
  mergeOnTheirs(): boolean;
  keepMine(): void;
  dryRun(): Promise<DryRun>;
  apply(): Promise<Applied>;
  close(): void;
}

export function createManifestStore(name: string, deps: StoreDeps): ManifestStore {
  const { client, now } = deps;
  const edit = signal<edits.Edit | undefined>(undefined);
  const [failure, checkFailure, note] = [signal(''), signal(''), signal('')];
  const isGone = signal(false);
  const problems = signal<readonly TextProblem[]>([]);
  const kept = keptDraft(name, deps.storage);
  let ends: LineEnds = '\n';
  let looks = 0;
  let isUnsure = false;

  const checker = createChecker({
    ask: client.validate,
    onAnswer(answer, text) {
      batch(() => {
        problems.value = inOrder([...answer.problems, ...nameProblem(answer.name, name, text)]);
        checkFailure.value = '';
      });
    },
    onError: (error) => {
      checkFailure.value = wordsOfError(error);
    },
  });

  function set(next: edits.Edit): void {
    const before = edit.peek();
    edit.value = next;
    kept.put(edits.draftOf(next));
    if (before?.text !== next.text) checker.check(next.text, before === undefined);
  }
  const change = (how: (before: edits.Edit) => edits.Edit | undefined): boolean => {
    const before = edit.peek();
    const next = before && how(before);
    if (next !== undefined) set(next);
    return next !== undefined;
  };

  function take(text: string, etag: string): void {
    const stored = { text: toEditor(text), etag };
    const before = edit.peek();
    batch(() => {
      ends = lineEndsOf(text);
      isGone.value = false;
      failure.value = '';
      set(before === undefined ? edits.opened(stored, kept.get()) : edits.seen(before, stored));
      if (isUnsure && before !== undefined)
        note.value =
          stored.text === before.text
            ? 'It was applied before the host went away.'
            : 'The host answers again. Your change was not applied.';
      isUnsure = false;
    });
  }

  async function look(): Promise<void> {
    const own = ++looks;
    try {
      const { text, etag } = await client.manifest(name);
      if (own === looks) take(text, etag);
    } catch (error) {
      if (own !== looks) return;
      batch(() => {
        isGone.value = error instanceof ApiError && error.status === 404;
        failure.value = wordsOfError(error);
      });
    }
  }

  async function refusal(error: unknown): Promise<Applied> {
    if (!(error instanceof ApiError)) return { kind: 'refused', text: wordsOfError(error) };
    if (error.status === 0) {
      isUnsure = true;
      return { kind: 'unsure' };
    }
    if (error.status === 412) {
      await look();
      if (isGone.peek()) return { kind: 'gone' };
      const after = edit.peek();
      return { kind: after !== undefined && !edits.isChanged(after) ? 'done' : 'stale' };
    }
    if (error.details.length > 0) problems.value = inOrder(error.details);
    return { kind: 'refused', text: wordsOfError(error) };
  }

  return {
    ...{ edit, failure, isGone, problems, checkFailure, note, look },
    type: (text) => {
      note.value = '';
      change((before) => edits.typed(before, text, now()));
    },
    undo: () => change(edits.undone),
    takeTheirs: () => change(edits.takenTheirs),
    mergeOnTheirs: () => change((before) => edits.mergedOnTheirs(before, now())),
    keepMine: () => change(edits.overTheirs),
    dryRun: () => client.dryRun(name, fromEditor(edit.peek()?.text ?? '', ends)),
    async apply() {
      const { text = '', base } = edit.peek() ?? {};
      try {
        const { etag } = await client.putManifest(name, fromEditor(text, ends), base?.etag);
        looks++;
        change((before) => edits.applied(before, { text, etag }));
        return { kind: 'done' };
      } catch (error) {
        return refusal(error);
      }
    },
    close: checker.close,
  };
}

/** What was typed, for this tab alone, over a reload. */
function keptDraft(name: string, storage: StoreDeps['storage']) {
  const key = `hersh-manifest-${name}`;
  return {
    get(): edits.Draft | undefined {
      try {
        return edits.readDraft(storage.getItem(key));
      } catch {
        return undefined;
      }
    },
    put(draft: edits.Draft | undefined): void {
      try {
        if (draft === undefined) storage.removeItem(key);
        else storage.setItem(key, JSON.stringify(draft));
      } catch {
        // No room, or none is allowed: then the browser asks before it leaves the page.
      }
    },
  };
}
