import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { CodeView } from '../code-view.tsx';
import type { EditorHandle } from './handle.ts';
import type { TextProblem } from './problem.ts';

export interface EditorProps {
  /** With line feeds alone. May change from outside, too. */
  text: string;
  /** What it is, for screen readers. */
  label: string;
  language?: 'yaml' | 'text';
  readOnly?: boolean;
  problems?: readonly TextProblem[];
  onChange: (text: string) => void;
  /** Ctrl+Enter. Gives whether that did anything. */
  onSubmit?: () => boolean;
  /** Given what it can be told to do, as soon as it is there. */
  onReady?: (handle: EditorHandle) => void;
}

const NO_PROBLEMS: readonly TextProblem[] = [];

/** An editor for code. Its code is fetched when the first one is shown; until then the text can be read. */
export function Editor(props: EditorProps) {
  const { text, label, language = 'yaml', readOnly = false, problems = NO_PROBLEMS } = props;
  const place = useRef<HTMLDivElement>(null);
  const [handle, setHandle] = useState<EditorHandle>();
  const [isLost, setLost] = useState(false);
  // The editor is made once, and calls what is meant then.
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    let made: EditorHandle | undefined;
    let isGone = false;
    import('./code-mirror.ts').then(
      ({ makeEditor }) => {
        if (isGone || place.current === null) return;
        made = makeEditor(place.current, {
          ...{ text: latest.current.text, label, language, readOnly },
          onChange: (next) => latest.current.onChange(next),
          onSubmit: () => latest.current.onSubmit?.() ?? false,
        });
        setHandle(made);
        latest.current.onReady?.(made);
      },
      () => setLost(true),
    );
    return () => {
      isGone = true;
      made?.close();
    };
  }, []);
  // Before anything else can be typed: what is put is what was drawn.
  useLayoutEffect(() => handle?.setText(text), [handle, text]);
  useEffect(() => handle?.setProblems(problems), [handle, problems]);
  useEffect(() => handle?.setReadOnly(readOnly), [handle, readOnly]);

  if (isLost) return <PlainEditor {...props} />;
  return (
    <div class="editor" data-ready={handle !== undefined}>
      {handle === undefined && <CodeView text={text} language={language} label={label} />}
      <div ref={place} onKeyDown={keepEscape} />
    </div>
  );
}

/** Escape belongs to the editor, which gives Tab back; elsewhere it leaves the field. */
function keepEscape(event: KeyboardEvent): void {
  if (event.key === 'Escape') event.stopPropagation();
}

/** Where the editor's code can not be had, as with a page that is older than its host: nothing typed is lost for that. */
function PlainEditor({ text, label, readOnly = false, onChange, onSubmit }: EditorProps) {
  return (
    <>
      <p class="note">
        The editor could not be loaded; this plain field does the same. A reload may bring it.
      </p>
      <textarea
        class="plain-editor mono"
        aria-label={label}
        spellcheck={false}
        readOnly={readOnly}
        rows={Math.max(6, text.split('\n').length)}
        value={text}
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          const isSubmit = event.key === 'Enter' && (event.ctrlKey || event.metaKey);
          if (isSubmit && onSubmit?.() === true) event.preventDefault();
        }}
      />
    </>
  );
}
