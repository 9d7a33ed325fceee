import { ApiError } from '../../../client.ts';
import { fromEditor } from '../../parts/editor/text-change.ts';
import { wordsOfError } from '../../state/acts.ts';
import { createDesk, type Desk } from './desk.ts';
import * as edits from './edit.ts';
import type { Applied, ManifestStore, StoreDeps } from './manifest-store.ts';

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
