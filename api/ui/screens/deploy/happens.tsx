import { useEffect } from 'preact/hooks';
import { Button } from '../../parts/button.tsx';
import { Glyph, Sign } from '../../parts/glyph.tsx';
import { Ladder } from '../../parts/ladder.tsx';
import { names, programOf } from '../../state/programs.ts';
import { programHref } from '../../state/route.ts';
import { stream } from '../../state/stream.ts';
import { clock } from '../../words/span.ts';
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
      {stream.value.state === 'lost' && now.kind !== 'idle' && <Lost since={stream.value.since} />}
      {now.kind === 'sending' && <Sending />}
      {now.kind === 'refused' && <Refused {...now} />}
      {now.kind === 'unknown' && <NotKnown {...now} />}
      {now.kind === 'idle' &&
        (sent === undefined ? <Ahead /> : <Followed key={`${sent.program} ${sent.since}`} sent={sent} />)}
    </section>
  );
}

export function Lost({ since }: { since: number }) {
  return (
    <p class="news">
      <Sign role="warn" />
      <span>
        The host does not answer; this is from {clock(since)}. What was sent is safe there, and goes on by
        itself. What is typed here stays.
      </span>
    </p>
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

function Refused({ text, details }: Extract<Deployment, { kind: 'refused' }>) {
  return (
    <>
      <div class="part-top">
        <h2 id="happens-title">It was not taken</h2>
      </div>
      <section class="trouble bad single">
        <div class="trouble-main">
          <h2>
            <Sign role="bad" />
            <span>{text}</span>
          </h2>
          {details.length > 0 && (
            <ul class="plain">
              {details.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          )}
          <p>Nothing was made of it. What you typed is still here.</p>
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

/** Whether it came to something, the list of programs tells as soon as the host is back. */
function NotKnown({ before, userId }: Extract<Deployment, { kind: 'unknown' }>) {
  const isLive = stream.value.state === 'live';
  const made = names.value.filter((name) => !before.has(name) && programOf(name)?.value.user_id === userId);
  return (
    <>
      <div class="part-top">
        <h2 id="happens-title">The host went away while it was sent</h2>
      </div>
      <section class="trouble bad single">
        <div class="trouble-main">
          <h2>
            <Sign role="bad" />
            <span>Whether it took it is not known{isLive ? '' : ' before it is back'}</span>
          </h2>
          <p>All of it was taken, or nothing. What you typed is still here.</p>
          {!isLive && <p>This page asks the host again by itself.</p>}
          {isLive && made.length === 0 && (
            <p>The host is back, and has no new program of {userId}: send it again.</p>
          )}
          {made.map((name) => (
            <p key={name}>
              There is a new program of {userId}: <a href={programHref(name)}>{name}</a>.{' '}
              <Button kind="small" onClick={() => adopt(name)}>
                That is it
              </Button>
            </p>
          ))}
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
