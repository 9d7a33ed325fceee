import type { ProgramBody } from '../../../routes/view.ts';
import { ACTS, programMenu } from '../../parts/acts.tsx';
import { Button } from '../../parts/button.tsx';
import { State } from '../../parts/glyph.tsx';
import { Menu } from '../../parts/menu.tsx';
import { Time } from '../../parts/time.tsx';
import { isStartNext, outcomeOf } from '../../state/acts.ts';
import { engineAway } from '../../state/host.ts';
import { useKeys } from '../../state/keys.ts';
import { href } from '../../state/route.ts';
import { isUp, kindOf, roleOf } from '../../words/kind.ts';
import { sinceOf } from '../../words/since.ts';
import { clock } from '../../words/span.ts';

/** Title, state, acts, and what came of the last one. */
export function Head({ p }: { p: ProgramBody }) {
  const isAway = engineAway() !== '';
  const away = isAway ? 'the engine is away' : undefined;
  const startStop = isStartNext(p) ? ACTS.start : ACTS.stop;
  useKeys('This program', [
    { keys: 'r', label: 'Restart', run: () => isUp(p) && !isAway && ACTS.restart.run?.(p) },
    { keys: 's', label: 'Start or stop', run: () => isAway || startStop.run?.(p) },
    { keys: 'b', label: 'Roll back…', run: () => p.revision > 1 && !isAway && ACTS.rollBack.run?.(p) },
  ]);
  const kind = kindOf(p);
  const { at, says } = sinceOf(p);
  return (
    <header class={isAway ? 'program-head stale' : 'program-head'}>
      <nav class="crumbs" aria-label="Where you are">
        <a href={href('')}>Programs</a>
      </nav>
      <div class="title">
        <h1>{p.program_id}</h1>
        <State state={p.state} role={roleOf(p.state, kind)} />
        <span class="since" title={says}>
          <Time at={at} how="for" />
          {isAway && ', last known'}
        </span>
        <span class="grow" />
        <div class="acts">
          {isUp(p) && (
            <Button keys="r" disabled={isAway} title={away} onClick={() => ACTS.restart.run?.(p)}>
              Restart
            </Button>
          )}
          <Button
            kind={isStartNext(p) ? 'primary' : ''}
            keys="s"
            disabled={isAway}
            title={away}
            onClick={() => startStop.run?.(p)}
          >
            {startStop.label}
          </Button>
          <Menu label={`More for ${p.program_id}`} items={() => programMenu(p)} kind="" />
        </div>
      </div>
      <LastResult name={p.program_id} />
    </header>
  );
}

/** It is announced where it is made. */
function LastResult({ name }: { name: string }) {
  const outcome = outcomeOf(name);
  if (outcome === undefined) return null;
  return (
    <p class={`result ${outcome.role}`}>
      {clock(outcome.at)} {outcome.text}
    </p>
  );
}
