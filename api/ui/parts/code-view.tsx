import { useMemo, useState } from 'preact/hooks';
import { count } from '../words/span.ts';
import { Button } from './button.tsx';
import { CodeLine } from './code-line.tsx';
import { type Language, tokenLines } from './code-tokens.ts';
import { Sign } from './glyph.tsx';

/** So many lines are drawn at once; the rest when they are asked for. */
const LINES_AT_ONCE = 1_000;

interface Props {
  text: string;
  language?: Language;
  /** Words beside a line, by its number. */
  marks?: ReadonlyMap<number, string>;
  /** The number of its first line. */
  first?: number;
  /** For screen readers. */
  label?: string;
}

/** Text with its colours and line numbers, to be read. */
export function CodeView({ text, language = 'text', marks, first = 1, label = 'Code' }: Props) {
  const [shown, show] = useState(LINES_AT_ONCE);
  const lines = useMemo(() => tokenLines(text.replace(/\r?\n$/, ''), language), [text, language]);
  const rest = lines.length - shown;
  return (
    <>
      <pre class="code-view" tabIndex={0} aria-label={label}>
        {lines.slice(0, shown).map((tokens, at) => {
          const mark = marks?.get(at + first);
          return (
            <span key={at} class={mark === undefined ? 'code-line' : 'code-line marked'}>
              <span class="no" aria-hidden="true">
                {at + first}
              </span>
              <CodeLine tokens={tokens} />
              {mark !== undefined && (
                <span class="inline-problem">
                  <Sign role="bad" />
                  {mark}
                </span>
              )}
              {'\n'}
            </span>
          );
        })}
      </pre>
      {rest > 0 && (
        <p class="part-foot">
          <Button kind="small" onClick={() => show(shown + 5 * LINES_AT_ONCE)}>
            Show {count(Math.min(rest, 5 * LINES_AT_ONCE))} more of {count(rest)} lines
          </Button>
        </p>
      )}
    </>
  );
}
