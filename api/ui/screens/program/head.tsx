import type { ProgramBody } from '../../../routes/view.ts';
import { ACTS, programMenu } from '../../parts/acts.tsx';
import { Button } from '../../parts/button.tsx';
import { Sign, State } from '../../parts/glyph.tsx';
import { Menu } from '../../parts/menu.tsx';
import { Time } from '../../parts/time.tsx';
import { isStartNext, outcomeOf, resume, resumeHost } from '../../state/acts.ts';
import { engineAway } from '../../state/host.ts';
import { useKeys } from '../../state/keys.ts';
import { href } from '../../state/route.ts';
import { isUp, kindOf, roleOf } from '../../words/kind.ts';
import { pausedSaid } from '../../words/paused.ts';
import { sinceOf } from '../../words/since.ts';
import { clock, msOf } from '../../words/span.ts';

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
      <PausedBand p={p} />
      <LastResult name={p.program_id} />
    </header>
  );
}

/** As long as nothing is done about it. */
function PausedBand({ p }: { p: ProgramBody }) {
  const { paused, program_id: name } = p;
  if (!paused) return null;
  const isOfHost = paused.of === 'host';
  return (
    <section class="band warn" aria-label="Paused">
      <Sign role="warn" />
      <div class="band-text">
        <p>
          <b>{pausedSaid(p)}</b> for <Time at={msOf(paused.since)} how="for" />
          {paused.why !== '' && `: ${paused.why}`}. Nothing is done about it; what is asked for waits.
        </p>
      </div>
      <span class="grow" />
      <Button onClick={() => void (isOfHost ? resumeHost(name) : resume(name))}>
        {isOfHost ? 'Resume the host' : 'Resume'}
      </Button>
    </section>
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
