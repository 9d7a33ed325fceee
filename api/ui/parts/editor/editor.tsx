import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Missing, whyMissing } from '../../state/missing.ts';
import { CodeView } from '../code-view.tsx';
import { NotCome } from '../not-come.tsx';
import type { EditorHandle } from './handle.ts';
import { PlainEditor } from './plain-editor.tsx';
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
  /** Whether what is typed outlives a reload of the page. Default true. */
  isKept?: boolean;
}

const NO_PROBLEMS: readonly TextProblem[] = [];
const MEANWHILE = 'This plain field does the same meanwhile.';

/** An editor for code. Its code is fetched when the first one is shown; until then the text can be read. */
export function Editor(props: EditorProps) {
  const { text, label, language = 'yaml', readOnly = false, problems = NO_PROBLEMS, isKept = true } = props;
  const place = useRef<HTMLDivElement>(null);
  const { handle, why, again, calls } = useMade(place, { ...props, language, readOnly });
  // Before anything else can be typed: what is put is what was drawn.
  useLayoutEffect(() => handle?.setText(text), [handle, text]);
  useEffect(() => handle?.setProblems(problems), [handle, problems]);
  useEffect(() => handle?.setReadOnly(readOnly), [handle, readOnly]);

  const isPlain = why !== undefined && handle === undefined;
  return (
    <>
      {isPlain && (
        <>
          <NotCome
            {...{ why, what: 'The editor', onAgain: again }}
            meanwhile={isKept ? `What you typed stays. ${MEANWHILE}` : MEANWHILE}
          />
          <PlainEditor {...{ text, label, readOnly }} {...calls} />
        </>
      )}
      <div class="editor" data-ready={handle !== undefined} hidden={isPlain}>
        {handle === undefined && <CodeView text={text} language={language} label={label} />}
        <div ref={place} onKeyDown={keepEscape} />
      </div>
    </>
  );
}

type Wanted = EditorProps & Required<Pick<EditorProps, 'language' | 'readOnly'>>;

/** The editor, as soon as its code is there; or why that did not come. */
function useMade(place: { current: HTMLDivElement | null }, props: Wanted) {
  const [handle, setHandle] = useState<EditorHandle>();
  const [why, setWhy] = useState<Missing>();
  const [tries, setTries] = useState(0);
  // The editor is made once, and calls what is meant then.
  const latest = useRef(props);
  latest.current = props;
  const calls = useMemo(
    () => ({
      onChange: (next: string) => latest.current.onChange(next),
      onSubmit: () => latest.current.onSubmit?.() ?? false,
      onReady: (made: EditorHandle) => latest.current.onReady?.(made),
    }),
    [],
  );
  useEffect(() => {
    let made: EditorHandle | undefined;
    let isGone = false;
    import('./code-mirror.ts').then(
      ({ makeEditor }) => {
        if (isGone || place.current === null) return;
        const { text, label, language, readOnly } = latest.current;
        made = makeEditor(place.current, { ...{ text, label, language, readOnly }, ...calls });
        setHandle(made);
        calls.onReady(made);
      },
      async () => {
        const found = await whyMissing();
        if (!isGone) setWhy(found);
      },
    );
    return () => {
      isGone = true;
      made?.close();
    };
  }, [tries]);
  return { handle, why, again: () => setTries((n) => n + 1), calls };
}

/** Escape belongs to the editor, which gives Tab back; elsewhere it leaves the field. */
function keepEscape(event: KeyboardEvent): void {
  if (event.key === 'Escape') event.stopPropagation();
}
