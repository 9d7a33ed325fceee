import { useMemo, useState } from 'preact/hooks';
import { plural } from '../words/span.ts';
import { Button } from './button.tsx';
import { CodeLine } from './code-line.tsx';
import { type Language, type Token, tokenLines } from './code-tokens.ts';
import { type DiffRow, diffRows, type Fold, folded } from './diff-rows.ts';
import { Unseen } from './small.tsx';

interface Props {
  before: string;
  after: string;
  /** Lines around a change. */
  context?: number;
  language?: Language;
  label?: string;
}

/** Two texts, line by line, in one column. */
export function DiffView({
  before,
  after,
  context = 3,
  language = 'yaml',
  label = 'What differs, line by line',
}: Props) {
  const rows = useMemo(() => folded(diffRows(before, after), context), [before, after, context]);
  const old = useMemo(() => tokenLines(before.replaceAll('\r\n', '\n'), language), [before, language]);
  const now = useMemo(() => tokenLines(after.replaceAll('\r\n', '\n'), language), [after, language]);
  const tokensOf = (row: DiffRow) =>
    (row.kind === 'gone' ? old[row.from - 1] : now[row.to - 1]) ?? [{ text: row.text, ink: undefined }];
  // What was opened belongs to these two texts.
  return (
    <div class="diff" role="group" aria-label={label} tabIndex={0}>
      {rows.map((row, at) =>
        row.kind === 'fold' ? (
          <FoldedLines key={`${at} ${before.length} ${after.length}`} fold={row} tokensOf={tokensOf} />
        ) : (
          <Line key={at} row={row} tokens={tokensOf(row)} />
        ),
      )}
    </div>
  );
}

function FoldedLines({ fold, tokensOf }: { fold: Fold; tokensOf: (row: DiffRow) => readonly Token[] }) {
  const [isOpen, open] = useState(false);
  if (isOpen) return fold.rows.map((row, at) => <Line key={at} row={row} tokens={tokensOf(row)} />);
  const words = `${plural(fold.rows.length, 'line')} the same`;
  return (
    <div class="diff-gap">
      <Button kind="text" label={`${words}: show them`} onClick={() => open(true)}>
        {words}
      </Button>
    </div>
  );
}

const SIGNS = { gone: '−', new: '+', same: ' ' } as const;

function Line({ row, tokens }: { row: DiffRow; tokens: readonly Token[] }) {
  return (
    <div class={`diff-line ${row.kind}`}>
      <span class="no" aria-hidden="true">
        {row.kind === 'new' ? '' : row.from}
      </span>
      <span class="no" aria-hidden="true">
        {row.kind === 'gone' ? '' : row.to}
      </span>
      <span class="sign-text" aria-hidden="true">
        {SIGNS[row.kind]}
      </span>
      {row.kind !== 'same' && <Unseen>{row.kind === 'gone' ? 'removed: ' : 'added: '}</Unseen>}
      <CodeLine tokens={tokens} />
    </div>
  );
}
