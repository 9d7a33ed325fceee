import type { ComponentChildren } from 'preact';
import { type Role, roleOf } from '../words/kind.ts';

/** Shapes: a pie that fills up on the way to Ready. A state is shape, word and colour, always three. */

const Ring = () => <circle class="ring" cx="7" cy="7" r="5.4" />;

function Pie({ part }: { part: number }) {
  const angle = part * 2 * Math.PI - Math.PI / 2;
  const [x, y] = [7 + 3.4 * Math.cos(angle), 7 + 3.4 * Math.sin(angle)];
  const large = part > 0.5 ? 1 : 0;
  return <path class="full" d={`M7 7V3.6A3.4 3.4 0 ${large} 1 ${x.toFixed(2)} ${y.toFixed(2)}Z`} />;
}

const SHAPES: Record<string, () => ComponentChildren> = {
  Created: () => <circle class="ring" cx="7" cy="7" r="5.4" stroke-dasharray="2.3 1.95" />,
  Building: () => [<Ring />, <Pie part={0.25} />],
  Built: () => [<Ring />, <Pie part={0.5} />],
  Starting: () => [<Ring />, <Pie part={0.75} />],
  Running: () => [<Ring />, <circle class="full" cx="7" cy="7" r="2.6" />],
  Ready: () => <circle class="full" cx="7" cy="7" r="6.1" />,
  Stopping: () => [<Ring />, <path class="cut" d="M4.2 7h5.6" />],
  Stopped: () => <rect class="ring" x="2.2" y="2.2" width="9.6" height="9.6" rx="1" />,
  Error: () => [
    <path class="full" d="M7 .3 13.7 7 7 13.7.3 7Z" />,
    <path class="knock" d="M7 3.7v4M7 9.3v1.3" />,
  ],
};

function Unknown() {
  return (
    <>
      <Ring />
      <path class="cut" d="M5.3 5.5a1.8 1.8 0 1 1 2.4 1.7q-.7.3-.7 1M7 9.8v.3" />
    </>
  );
}

interface Drawn {
  class: string;
  children: ComponentChildren;
}

function Small({ class: name, children }: Drawn) {
  return (
    <svg class={name} viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
      {children}
    </svg>
  );
}

/** The shape of a state. A state that this page does not know has a question mark. */
export function Glyph({ state, role = roleOf(state) }: { state: string; role?: Role }) {
  const Shape = SHAPES[state] ?? Unknown;
  return (
    <Small class={`glyph ${role}`}>
      <Shape />
    </Small>
  );
}

/** The sign beside a reason: a triangle for trouble, a dot for news. */
export function Sign({ role }: { role: Role }) {
  const isTrouble = role === 'warn' || role === 'bad';
  return (
    <Small class={`sign ${role}`}>
      {isTrouble ? (
        <>
          <path class="full" d="M7 .9 13.7 12.9H.3Z" />
          <path class="knock" d="M7 4.9v4M7 10.3v1.2" />
        </>
      ) : (
        <circle class="full" cx="7" cy="7" r="2.6" />
      )}
    </Small>
  );
}

/** Shape and word. */
export function State({ state, role = roleOf(state) }: { state: string; role?: Role }) {
  return (
    <span class={`state ${role}`}>
      <Glyph state={state} role={role} />
      {state}
    </span>
  );
}
