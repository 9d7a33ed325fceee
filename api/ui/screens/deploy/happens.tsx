import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Glyph, Sign } from '../../parts/glyph.tsx';
import { Ladder } from '../../parts/ladder.tsx';
import { programHref } from '../../state/route.ts';
import { draft } from './deploy-state.ts';
import { adopt, type Deployment, deploy, deployment } from './deployment.ts';
import { Followed } from './followed.tsx';

/** The right of the screen: what happens to what is sent. */
export function Happens() {
  const now = deployment.value;
  const { sent } = draft.value;
  const isSending = now.kind === 'sending';
  useEffect(() => {
    // On a phone it stands above what is sent.
    if (isSending) document.getElementById('happens-title')?.scrollIntoView({ block: 'nearest' });
  }, [isSending]);
  return (
    <section class="happens" aria-labelledby="happens-title">
      {now.kind === 'sending' && <Sending />}
      {now.kind === 'refused' && <Refused {...now} />}
      {now.kind === 'unknown' && <NotKnown {...now} />}
      {now.kind === 'idle' &&
        (sent === undefined ? <Ahead /> : <Followed key={`${sent.program} ${sent.since}`} sent={sent} />)}
    </section>
  );
}

const EXPLAINED = [
  ['Created', 'It gets a name and a port.'],
  ['Building', 'Its image is built, 5 minutes at most, 2 builds at a time. What was built before is cached.'],
  ['Starting', 'Its container: read-only root, /state to write to, 512 Mi, 1 CPU, no capabilities.'],
  ['Running', 'It runs; the host asks it on 8080.'],
  ['Ready', 'It answered. Not within 60 s: you are told what the probe got.'],
] as const;

function Ahead() {
  return (
    <>
      <div class="part-top">
        <h2 id="happens-title">What happens</h2>
      </div>
      <Ladder moments={{}} />
      <dl class="explain">
        {EXPLAINED.map(([state, text]) => [
          <dt key={state}>
            <Glyph state={state} role="rest" />
            {state}
          </dt>,
          <dd key={`${state} is`}>{text}</dd>,
        ])}
      </dl>
    </>
  );
}

function Sending() {
  return (
    <>
      <div class="part-top">
        <h2 id="happens-title">Sending…</h2>
      </div>
      <Ladder moments={{}} />
      <p class="note">The host takes all of it, or nothing.</p>
    </>
  );
}

function Refused({ isKnown, text, details }: Extract<Deployment, { kind: 'refused' }>) {
  return (
    <NotTaken title={isKnown ? 'It was not taken' : WENT_AWAY} what={text}>
      {details.length > 0 && (
        <ul class="plain">
          {details.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      <p>{isKnown && 'Nothing was made of it. '}What you typed is still here.</p>
    </NotTaken>
  );
}

const WENT_AWAY = 'The host went away while it was sent';

/** Whether it came to something, the host tells as soon as it is back. */
function NotKnown({ userId, made }: Extract<Deployment, { kind: 'unknown' }>) {
  const what =
    made === undefined
      ? 'Whether it was taken is not known before the host is back'
      : 'Whether it was taken, its programs tell';
  return (
    <NotTaken title={WENT_AWAY} what={what}>
      <p>All of it was taken, or nothing. What you typed is still here.</p>
      {made === undefined && <p>The host is asked again by itself.</p>}
      {made?.length === 0 && <p>The host is back, and has no new program of {userId}: send it again.</p>}
      {made?.map((name) => (
        <p key={name}>
          There is a new program of {userId}: <a href={programHref(name)}>{name}</a>.{' '}
          <Button kind="small" onClick={() => adopt(name)}>
            That is it
          </Button>
        </p>
      ))}
    </NotTaken>
  );
}

function NotTaken({ title, what, children }: { title: string; what: string; children: ComponentChildren }) {
  return (
    <>
      <div class="part-top">
        <h2 id="happens-title">{title}</h2>
      </div>
      <section class="trouble bad single">
        <div class="trouble-main">
          <h2>
            <Sign role="bad" />
            <span>{what}</span>
          </h2>
          {children}
          <div class="trouble-acts">
            <Button kind="primary" onClick={() => void deploy()}>
              Send it again
            </Button>
          </div>
        </div>
      </section>
    </>
  );
}
