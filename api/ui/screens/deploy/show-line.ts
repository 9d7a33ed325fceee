import { type ReadonlySignal, signal } from '@preact/signals';
import type { EditorHandle } from '../../parts/editor/handle.ts';
import { draft, editDraft } from './deploy-state.ts';

const failed = signal<number | undefined>(undefined);
/** The line of the Dockerfile, from 1, at which what was last sent failed, once it was asked for. */
export const failedLine: ReadonlySignal<number | undefined> = failed;

interface Offered {
  name: string;
  handle: EditorHandle;
}

let offered: Offered | undefined;
/** Whether an editor that comes is to go to the line. */
let isWanted = false;

/** The editor of the file that is open; undefined when it goes. */
export function offerEditor(editor: Offered | undefined): void {
  offered = editor;
  if (isWanted) goThere();
}

/** Opens the Dockerfile at a line, and marks it. @param line counted from 1 */
export function showLine(line: number): void {
  failed.value = line;
  isWanted = true;
  if (draft.peek().open === 'Dockerfile') goThere();
  else editDraft({ open: 'Dockerfile' });
}

/** It is sent anew. */
export function forgetLine(): void {
  failed.value = undefined;
  isWanted = false;
}

function goThere(): void {
  if (offered?.name !== 'Dockerfile' || failed.peek() === undefined) return;
  isWanted = false;
  offered.handle.goTo(failed.peek() ?? 1);
}
