import { useSignalEffect } from '@preact/signals';
import { State } from '../../parts/glyph.tsx';
import { Mono } from '../../parts/small.tsx';
import { host } from '../../state/host.ts';
import { hash } from '../../state/route.ts';
import { ELSEWHERE } from '../../words/host-reasons.ts';
import { REASONS } from '../../words/reasons.ts';
import { FieldTable } from './field-table.tsx';

const STATES: readonly (readonly [state: string, says: string])[] = [
  ['Created', 'Never started.'],
  ['Building', 'Its image is being built, or pulled.'],
  ['Built', 'Its image is there.'],
  ['Starting', 'Its container is being started.'],
  ['Running', 'It runs, and its readiness probe has not answered, or does not any more.'],
  ['Ready', 'Its readiness probe answered.'],
  ['Stopping', 'It is being stopped.'],
  ['Stopped', 'Stopped by wish, or it ended as its restartPolicy allows.'],
  ['Error', 'Nothing serves. The reason says why; a retry, a fix or Start leads out of it.'],
];

/** Every word that the host can say, with what to do. Every "?" of the page leads here. */
export function ReasonsScreen() {
  useSignalEffect(() => {
    const name = host.value?.name ?? '';
    document.title = `Reasons${name === '' ? '' : ` · ${name}`}`;
  });
  useSignalEffect(() => {
    const at = hash.value;
    if (at !== '') document.getElementById(at)?.scrollIntoView();
  });
  return (
    <div class="reading">
      <h1>States and reasons</h1>
      <p class="lead">
        A shape fills up on the way to Ready. The state is that of the revision which serves: Ready with a
        reason means that an older one serves and a newer one has trouble.
      </p>
      <ul class="state-list">
        {STATES.map(([state, says]) => (
          <li key={state}>
            <State state={state} />
            <span>{says}</span>
          </li>
        ))}
      </ul>
      <h2>Reasons</h2>
      <dl class="reason-list">
        {Object.entries(REASONS).map(([name, { title, means, fix }]) => (
          <Reason key={name} names={[name]} {...{ title, means, fix }} />
        ))}
      </dl>
      <h2>Elsewhere</h2>
      <p class="note">Events, conditions and warnings that are no program's reason.</p>
      <dl class="reason-list">
        {ELSEWHERE.map(([names, means, fix]) => (
          <Reason key={names} names={names.split(', ')} {...{ means, fix }} />
        ))}
      </dl>
      <h2 id="fields">Fields of a manifest</h2>
      <p class="note">
        Beside these, <Mono>apiVersion: hersh.dev/v1</Mono> and <Mono>kind: Program</Mono>. Names at the top
        that begin with <Mono>x-</Mono> are yours. A probe has the same fields under <Mono>liveness</Mono>.
      </p>
      <FieldTable />
    </div>
  );
}

interface ReasonProps {
  names: readonly string[];
  title?: string;
  means: string;
  fix: string;
}

function Reason({ names, title, means, fix }: ReasonProps) {
  // What is come to without a new page is no `:target`.
  const isHere = names.includes(hash.value);
  const [first = '', ...others] = names;
  return (
    <div class={`reason${isHere ? ' here' : ''}`} id={first}>
      <dt>
        <b>{first}</b>
        {others.map((name) => (
          <b key={name} id={name}>
            , {name}
          </b>
        ))}
        {title !== undefined && <span class="note">{title}</span>}
      </dt>
      <dd>
        <p>{means}</p>
        <p>
          <b>What to do: </b>
          {fix}
        </p>
      </dd>
    </div>
  );
}
