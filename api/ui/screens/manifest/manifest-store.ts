import type { ReadonlySignal } from '@preact/signals';
import type { Client } from '../../../client.ts';
import type { DryRun } from '../../../program-answers.ts';
import type { TextProblem } from '../../parts/editor/problem.ts';
import type { Edit } from './edit.ts';
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
  edit: ReadonlySignal<Edit | undefined>;
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
