import { useEffect, useRef } from 'preact/hooks';
import type { EditorHandle } from './handle.ts';
import { offsetOf } from './problem.ts';

interface Props {
  text: string;
  label: string;
  readOnly: boolean;
  onChange: (text: string) => void;
  onSubmit: () => boolean;
  onReady: (handle: EditorHandle) => void;
}

/** Where the editor's code can not be had: nothing typed is lost for that, and all else goes on. */
export function PlainEditor({ text, label, readOnly, onChange, onSubmit, onReady }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const { current } = field;
    if (current !== null) onReady(handleOf(current));
  }, []);
  return (
    <textarea
      ref={field}
      class="plain-editor mono"
      aria-label={label}
      spellcheck={false}
      autocapitalize="off"
      readOnly={readOnly}
      rows={Math.min(24, Math.max(8, text.split('\n').length + 1))}
      value={text}
      onInput={({ currentTarget }) => onChange(currentTarget.value)}
      onKeyDown={(event) => {
        const isSubmit = event.key === 'Enter' && (event.ctrlKey || event.metaKey);
        if (isSubmit && onSubmit()) event.preventDefault();
      }}
    />
  );
}

/** Text, problems and lock come to the field by drawing it. */
function handleOf(field: HTMLTextAreaElement): EditorHandle {
  return {
    setText: () => undefined,
    setProblems: () => undefined,
    setReadOnly: () => undefined,
    goTo(line, column) {
      const at = offsetOf(field.value, line, column);
      field.focus();
      field.setSelectionRange(at, at);
      field.scrollTop = ((line - 3) / field.value.split('\n').length) * field.scrollHeight;
    },
    focus: () => field.focus(),
    measure: () => undefined,
    close: () => undefined,
  };
}
