import type { ReadonlySignal } from '@preact/signals';
import { ApiError, type Client } from '../../../client.ts';
import type { DryRun } from '../../../deps.ts';
import type { TextProblem } from '../../parts/editor/problem.ts';
import { fromEditor } from '../../parts/editor/text-change.ts';
import { wordsOfError } from '../../state/acts.ts';
import { createDesk, type Desk } from './desk.ts';
import * as edits from './edit.ts';
import type { DraftStorage } from './kept-draft.ts';

export interface StoreDeps {
  client: Pick<Client, 'manifest' | 'validate' | 'putManifest' | 'dryRun'>;
  /** Of the tab. */
  storage: DraftStorage;
  now: () => number;
}

/** What became of an apply. `unsure`: the host went away meanwhile. */
export type Applied =
  | { kind: 'done' }
  | { kind: 'stale' | 'gone' | 'unsure' }
  | { kind: 'refused'; text: string };

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
  /** The whole text at once, as a repair does. */
  put(text: string): void;
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
  const desk = createDesk(name, deps);
  const { client, now } = deps;
  const { edit, change } = desk;
  const typedText = () => fromEditor(edit.peek()?.text ?? '', desk.ends());
  return {
    ...desk.shown,
    look: desk.look,
    type: (text) => {
      desk.note('');
      change((before) => edits.typed(before, text, now()), true);
    },
    put: (text) => void change((before) => edits.typed(before, text, now())),
    undo: () => change(edits.undone),
    takeTheirs: () => change(edits.takenTheirs),
    mergeOnTheirs: () => change((before) => edits.mergedOnTheirs(before, now())),
    keepMine: () => change(edits.overTheirs),
    dryRun: () => client.dryRun(name, typedText()),
    async apply() {
      const text = edit.peek()?.text ?? '';
      try {
        const { etag } = await client.putManifest(name, typedText(), edit.peek()?.base.etag);
        desk.passOver();
        change((before) => edits.applied(before, { text, etag }));
        return { kind: 'done' };
      } catch (error) {
        return refusal(desk, error);
      }
    },
    close: desk.close,
  };
}

async function refusal(desk: Desk, error: unknown): Promise<Applied> {
  if (!(error instanceof ApiError)) return { kind: 'refused', text: wordsOfError(error) };
  if (error.status === 0) {
    desk.beUnsure();
    return { kind: 'unsure' };
  }
  if (error.status === 412) {
    await desk.look();
    if (desk.shown.isGone.peek()) return { kind: 'gone' };
    const after = desk.edit.peek();
    return { kind: after !== undefined && !edits.isChanged(after) ? 'done' : 'stale' };
  }
  if (error.details.length > 0) desk.tell(error.details);
  return { kind: 'refused', text: wordsOfError(error) };
}
