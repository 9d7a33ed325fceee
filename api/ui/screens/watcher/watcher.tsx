import { useRef } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { State } from '../../parts/glyph.tsx';
import type { PartProps } from '../../parts/part-props.ts';
import { Mono } from '../../parts/small.tsx';
import { Time, Unknown } from '../../parts/time.tsx';
import { middle, msOf } from '../../words/span.ts';
import { MessageBox } from './message-box.tsx';
import { ASK_MS, useWatcher, type Watched } from './use-watcher.ts';
import {
  Changes,
  type Listed,
  LONG,
  type Pair,
  partOf,
  prettyOf,
  timeOf,
  uptimeOf,
  variablesOf,
} from './watcher-data.ts';

/** What a program says of itself by its WatcherAPI. */
export function WatcherPart({ p }: PartProps) {
  const watched = useWatcher(p);
  if (p.state !== 'Ready') return <NotReady p={p} />;
  if (watched.isAbsent)
    return (
      <p class="bare">
        It has no WatcherAPI: <Mono>GET /watcher/status</Mono> on its port 8080 is not found. Programs made
        with the Hersh framework have one; another may do without.
      </p>
    );
  if (watched.at === undefined)
    return <p class="bare">{watched.error === '' ? 'Asking…' : `It can not be asked: ${watched.error}`}</p>;
  return (
    <div class="watcher">
      <section class="w-main">
        {watched.error !== '' && <p class="stretch">Not all of it answers: {watched.error}</p>}
        <Status answer={watched.answers.status} />
        <Variables watched={watched} />
        <div class="w-cols">
          <Signals answer={watched.answers.signals} />
          <section>
            <Pairs title="Memo" answer={watched.answers.memoCache} />
            <Pairs title="Config" answer={watched.answers.config} />
          </section>
        </div>
      </section>
      <MessageBox key={p.program_id} name={p.program_id} why={undefined} />
    </div>
  );
}

function NotReady({ p }: { p: ProgramBody }) {
  const next = msOf(p.next_try_at);
  return (
    <p class="bare">
      It answers only while it is Ready.{' '}
      {p.state === 'Error' && next !== undefined && (
        <>
          It is started again <Time at={next} how="in" />.
        </>
      )}
    </p>
  );
}

function Status({ answer }: { answer: unknown }) {
  if (answer === undefined) return null;
  const pairs = new Map(partOf(answer).pairs.map(({ name, text }) => [name, text]));
  const [state, uptime, lastUpdate] = ['state', 'uptime', 'lastUpdate'].map((name) => pairs.get(name));
  const isGood = state === 'Ready' && pairs.get('isRunning') !== 'false';
  const rest = [...pairs].filter(([name]) => !['state', 'uptime', 'lastUpdate'].includes(name));
  const updated = timeOf(lastUpdate ?? '');
  return (
    <div class="w-status">
      {state && <State state={state} role={isGood ? 'good' : 'busy'} />}
      {uptime && <span class="note">for {uptimeOf(uptime)}</span>}
      {updated !== undefined && (
        <span class="note">
          updated <Time at={updated} />
        </span>
      )}
      {rest.map(([name, text]) => (
        <span key={name} class="note">
          {name} <Mono>{text ?? '–'}</Mono>
        </span>
      ))}
    </div>
  );
}

function Variables({ watched: { answers, at = 0 } }: { watched: Watched }) {
  const changes = useRef(new Changes());
  if (answers.varState === undefined && answers.watching === undefined) return null;
  const pairs = variablesOf(answers.varState, answers.watching);
  const initialised = pairs.filter(({ text }) => text !== null).length;
  return (
    <>
      <h3>
        Variables
        <span class="n">
          {initialised} of {pairs.length} initialised
        </span>
      </h3>
      <div class="table vars" role="table" aria-label="Variables">
        {pairs.map((pair) => (
          <Variable
            key={pair.name}
            pair={pair}
            at={at}
            changedMs={changes.current.note(pair.name, pair.text, at)}
          />
        ))}
      </div>
    </>
  );
}

function Variable({ pair, at, changedMs }: { pair: Pair; at: number; changedMs: number | undefined }) {
  const isFresh = changedMs !== undefined && at - changedMs < ASK_MS / 2;
  return (
    <div class="var" role="row">
      <div class="mono" role="cell">
        {pair.name}
      </div>
      <div role="cell">
        <Value text={pair.text} />
      </div>
      <div class={`num note${isFresh ? ' fresh' : ''}`} role="cell" title="when it was seen to change last">
        {changedMs === undefined ? (
          <Unknown why="it has not changed since this part was opened" />
        ) : (
          <Time at={changedMs} />
        )}
      </div>
    </div>
  );
}

function Value({ text }: { text: string | null }) {
  if (text === null) return <span class="none">not initialised</span>;
  if (text.length <= LONG) return <Mono>{text}</Mono>;
  return (
    <details class="long">
      <summary class="mono">{middle(text, LONG)}</summary>
      <pre class="mono" tabIndex={0}>
        {prettyOf(text)}
      </pre>
    </details>
  );
}

function Signals({ answer }: { answer: unknown }) {
  if (answer === undefined) return null;
  const { pairs, listed } = partOf(answer);
  return (
    <section>
      <h3>Signals</h3>
      <List pairs={pairs} />
      <ol class="recent">
        {listed.map((one, at) => (
          <Entry key={at} {...one} />
        ))}
      </ol>
    </section>
  );
}

function Entry({ kind, text, ms }: Listed) {
  return (
    <li>
      <span class="mono note">{kind}</span>
      <span>{text}</span>
      <span class="note">{ms !== undefined && <Time at={ms} />}</span>
    </li>
  );
}

function Pairs({ title, answer }: { title: string; answer: unknown }) {
  if (answer === undefined) return null;
  const { pairs } = partOf(answer);
  return (
    <>
      <h3>{title}</h3>
      {pairs.length === 0 ? <p class="note">Empty.</p> : <List pairs={pairs} />}
    </>
  );
}

function List({ pairs }: { pairs: readonly Pair[] }) {
  return (
    <dl class="pairs">
      {pairs.map(({ name, text }) => [
        <dt key={name} class="mono">
          {name}
        </dt>,
        <dd key={`${name}=`} class="num mono">
          <Value text={text} />
        </dd>,
      ])}
    </dl>
  );
}
