import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { Button } from '../../parts/button.tsx';
import { Sign } from '../../parts/glyph.tsx';
import { Time } from '../../parts/time.tsx';
import { count, msOf, plural } from '../../words/span.ts';
import { borderNode } from './line-node.ts';
import { bordersBetween, type LogRow } from './log-rows.ts';
import { LINES_MAX, type LogState } from './log-session.ts';
import type { Log } from './use-log.ts';

/** What stands above the first line that is held. */
export function LogHead({ state, log }: { state: LogState; log: Log }) {
  const { hasOlder, olderNote, isLoadingOlder, letGo } = state;
  const pane = log.pane.current;
  if (state.phase !== 'open' || pane === null || pane.count === 0) return null;
  if (hasOlder)
    return (
      <p class="log-end">
        <Button kind="text" onClick={log.older} disabled={isLoadingOlder}>
          {isLoadingOlder ? 'Loading older lines…' : 'Load older lines'}
        </Button>
        {letGo > 0 && ` ${count(LINES_MAX)} are held; ${plural(letGo, 'line')} went for others.`}
        {olderNote !== '' && ` ${olderNote}`}
      </p>
    );
  const first = pane.firstRun();
  return (
    <>
      {olderNote !== '' && <p class="log-end">{sentence(olderNote)}</p>}
      <Borders rows={first === undefined ? [] : bordersBetween(undefined, first, state.runs)} />
    </>
  );
}

interface FootProps {
  p: ProgramBody;
  state: LogState;
  log: Log;
  isStretch: boolean;
}

/** What stands below the last one. */
export function LogFoot({ p, state, log, isStretch }: FootProps) {
  const pane = log.pane.current;
  if (state.phase === 'loading') return <p class="log-end">{pane?.count ? '' : 'Loading…'}</p>;
  if (state.phase === 'failed')
    return (
      <p class="log-end" role="alert">
        <Sign role="warn" /> The log could not be read: {state.note}.{' '}
        <Button kind="text" onClick={log.reopen}>
          Try again
        </Button>
      </p>
    );
  const isEmpty = (pane?.count ?? 0) === 0;
  const last = pane?.lastRun();
  const rows =
    state.hasEnd && !isStretch && (isEmpty || last !== undefined)
      ? bordersBetween(last, undefined, state.runs)
      : [];
  return (
    <>
      <Borders rows={rows} />
      {isEmpty && (
        <p class="log-empty">
          {emptyWords(p, isStretch)} {state.olderNote !== '' && sentence(state.olderNote)}
        </p>
      )}
      <p class="log-end">
        <End p={p} state={state} isStretch={isStretch} />
      </p>
    </>
  );
}

function End({ p, state: { link, why, hasEnd }, isStretch }: Omit<FootProps, 'log'>) {
  if (isStretch) return hasEnd ? 'That is all of this stretch.' : 'What came later is not shown here.';
  if (!hasEnd) return `Newer lines are not here: ${count(LINES_MAX)} are held at a time. G: to the end.`;
  if (link === 'lost')
    return (
      <>
        <Sign role="warn" /> Not live: {why}. It goes on by itself, behind the last line.
      </>
    );
  if (link !== 'over')
    return (
      <>
        <span class="live-dot" aria-hidden="true" /> as it comes
      </>
    );
  const next = msOf(p.next_try_at);
  if (p.state === 'Error' && next !== undefined)
    return (
      <>
        It does not run. Started again <Time at={next} how="in" />.
      </>
    );
  return 'It does not run: nothing more comes until it is started. Then the log goes on by itself.';
}

function emptyWords(p: ProgramBody, isStretch: boolean): string {
  if (isStretch) return 'It printed nothing in this stretch that the engine still has.';
  if (p.state === 'Created') return 'It never ran, so it printed nothing.';
  if (p.revision === 0) return 'It has not run yet. The build log has what there is.';
  return 'Nothing is there that it printed.';
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function Borders({ rows }: { rows: readonly LogRow[] }) {
  const place = useRef<HTMLDivElement>(null);
  const word = JSON.stringify(rows);
  useLayoutEffect(() => {
    place.current?.replaceChildren(...rows.flatMap((row) => (row.kind === 'line' ? [] : [borderNode(row)])));
  }, [word]);
  return <div ref={place} />;
}
