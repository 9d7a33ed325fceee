import { useEffect, useMemo } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Editor } from '../../parts/editor/editor.tsx';
import { fromEditor, lineEndsOf, toEditor } from '../../parts/editor/text-change.ts';
import { apply, draft, editDraft } from './deploy-state.ts';
import { isKept } from './kept-draft.ts';
import { failedLine, offerEditor } from './show-line.ts';

/** A text that is longer is not edited here, in characters: with each key all of it is made anew. */
const EDITED_CHARS_MAX = 500_000;

/** The text of a file, to be edited. */
export function FileText({ name, onSubmit }: { name: string; onSubmit: () => void }) {
  const text = draft.value.files.get(name) ?? '';
  const isLong = text.length > EDITED_CHARS_MAX;
  return (
    <div class="file-text">
      {isLong ? (
        <p class="note">{name} is too long to be edited here. It is sent as it is.</p>
      ) : (
        <Edited {...{ name, text, onSubmit }} />
      )}
      {name !== 'Dockerfile' && (
        <Button kind="small quiet" onClick={() => apply({ kind: 'remove', names: [name] })}>
          Remove {name}
        </Button>
      )}
    </div>
  );
}

interface Props {
  name: string;
  text: string;
  onSubmit: () => void;
}

function Edited({ name, text, onSubmit }: Props) {
  // As they were when it was opened: what is not touched is sent as it is, and what is keeps its line ends.
  const ends = useMemo(() => lineEndsOf(text), []);
  const shown = useMemo(() => toEditor(text), [text]);
  const line = name === 'Dockerfile' ? failedLine.value : undefined;
  const problems = useMemo(
    () => (line === undefined ? [] : [{ line, path: '', message: 'the build failed here' }]),
    [line],
  );
  useEffect(() => () => offerEditor(undefined), []);
  return (
    <Editor
      text={shown}
      label={name}
      language={/\.ya?ml$/.test(name) ? 'yaml' : 'text'}
      problems={problems}
      isKept={isKept(draft.value)}
      onChange={(next) => editDraft({ files: new Map(draft.peek().files).set(name, fromEditor(next, ends)) })}
      onSubmit={() => {
        onSubmit();
        // Whatever came of it, it is no line of the text.
        return true;
      }}
      onReady={(handle) => offerEditor({ name, handle })}
    />
  );
}
