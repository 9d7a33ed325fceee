import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Sign } from '../../parts/glyph.tsx';
import type { PartProps } from '../../parts/part-props.ts';
import { Unseen } from '../../parts/small.tsx';
import { Time, Unknown } from '../../parts/time.tsx';
import { useHistory } from '../../parts/use-history.ts';
import { now } from '../../state/now.ts';
import { isSignedIn } from '../../state/session.ts';
import type { EventBody } from '../../words/event-body.ts';
import { clock, exactTime, msOf, plural, shortTime, withClocks } from '../../words/span.ts';
import { type Fold, foldEvents } from './fold-events.ts';

/** Rows come so many at a time. */
const ROWS = 100;

/** What happened, newest first, the same again and again told once: the timeline's twin as a table. */
export function EventsPart({ p, stretch }: PartProps) {
  const { events, failed } = useHistory(p.program_id);
  const [rows, setRows] = useState(ROWS);
  const isIn = (at: number | undefined) =>
    stretch === undefined || (at !== undefined && at >= stretch.from && at <= stretch.to);
  if (events === undefined) return <p class="bare">{failed.events ?? 'Asking the host…'}</p>;
  const list = events.filter(({ time }) => isIn(msOf(time)));
  const folds = foldEvents(list);
  const more = folds.length - rows;
  return (
    <>
      {list.length === 0 ? (
        <p class="bare">
          {stretch === undefined ? 'No event of it is kept.' : 'Nothing happened in this stretch.'}
        </p>
      ) : (
        <div class="table events" role="table" aria-label="Events, newest first">
          <div class="thead" role="rowgroup">
            <div class="e-head" role="row">
              {['Time', 'Reason', 'What', 'State', 'Revision'].map((head) => (
                <div key={head} role="columnheader">
                  {head}
                </div>
              ))}
            </div>
          </div>
          <div role="rowgroup">
            {folds.slice(0, rows).map((fold) => (
              <FoldRows key={keyOf(fold)} fold={fold} />
            ))}
          </div>
        </div>
      )}
      <p class="part-foot">
        {more > 0 && (
          <>
            <Button kind="text" onClick={() => setRows(rows + ROWS)}>
              {plural(more, 'older row')}
            </Button>
            .{' '}
          </>
        )}
        {failed.events !== undefined && `${failed.events}. `}
        The last {plural(list.length, 'event')}; the host keeps at least 1,000.{' '}
        {!isSignedIn() && <a href={`/programs/${encodeURIComponent(p.program_id)}/events`}>As JSON</a>}
      </p>
    </>
  );
}

/** A fold that grows at its head stays the same one by its oldest event. */
function keyOf({ shown, older }: Fold): string {
  const oldest = older.at(-1) ?? shown.at(-1);
  return `${oldest?.time} ${oldest?.reason} ${oldest?.state}`;
}

function FoldRows({ fold: { shown, times, older } }: { fold: Fold }) {
  const [isOpen, open] = useState(false);
  const first = older.at(-1) ?? shown.at(-1);
  const title = `first ${clock(msOf(first?.time) ?? 0)}`;
  return (
    <>
      {shown.map((event, at) => (
        <EventRow key={at} event={event}>
          {times > 1 && at === 0 && (
            <Button kind="small" expanded={isOpen} title={title} onClick={() => open(!isOpen)}>
              ×{times}
            </Button>
          )}
          {times > 1 && at > 0 && <span class="note">×{times}</span>}
        </EventRow>
      ))}
      {isOpen && older.map((event, at) => <EventRow key={`older ${at}`} event={event} isMore />)}
    </>
  );
}

interface RowProps {
  event: EventBody;
  isMore?: boolean;
  children?: ComponentChildren;
}

function EventRow({ event, isMore = false, children }: RowProps) {
  const { time, type, reason, message, state, revision, author } = event;
  const at = msOf(time);
  const isTrouble = type === 'Warning';
  return (
    <div class={`e-row ${type}${isMore ? ' e-more' : ''}`} role="row">
      <div class="e-time" role="cell">
        {at === undefined ? (
          <Unknown why="it has no time" />
        ) : (
          <>
            <time dateTime={time} title={exactTime(at)}>
              {shortTime(at, now.value)}
            </time>
            <span class="since">
              <Time at={at} />
            </span>
          </>
        )}
      </div>
      <div class="e-reason" role="cell">
        <Sign role={isTrouble ? 'warn' : 'rest'} />
        <Unseen>{type}: </Unseen>
        <span>{reason}</span>
        {children}
      </div>
      <div class="e-message" role="cell">
        <Message text={message} />
        {author !== undefined && <span class="note"> · {author}</span>}
      </div>
      <div class="e-state" role="cell">
        {state}
      </div>
      <div class="e-rev" role="cell">
        {revision > 0 ? `r${revision}` : <Unknown why="no revision served" />}
      </div>
    </div>
  );
}

/** What has several lines, as the last output of a crash, shows the first and opens. */
function Message({ text }: { text: string }) {
  const [first = '', ...rest] = withClocks(text, now.peek()).split('\n');
  if (rest.length === 0) return <>{first}</>;
  return (
    <details>
      <summary>{first}</summary>
      <pre>{rest.join('\n')}</pre>
    </details>
  );
}
