import { Button } from '../../parts/button.tsx';
import { Glyph, Sign, State } from '../../parts/glyph.tsx';
import { Outside } from '../../parts/small.tsx';
import { programHref } from '../../state/route.ts';
import { exactSpan } from '../../words/span.ts';
import { deploy, forget, startIt } from './deployment.ts';
import type { ResultProps } from './result-props.ts';

/** How it ended. */

function Links({ program }: { program: string }) {
  return (
    <p class="do">
      <a class="button primary" href={programHref(program)}>
        Open it
      </a>
      <a class="button" href={programHref(program, { tab: 'logs' })}>
        Logs
      </a>
      <a class="button" href={programHref(program, { tab: 'watcher' })}>
        Watcher
      </a>
    </p>
  );
}

export function Ready({ sent, p, progress }: ResultProps) {
  const address = p?.proxy_url || sent.proxyUrl;
  const { Created: from, Ready: to } = progress.moments;
  return (
    <section class="outcome">
      <p>
        <State state="Ready" role="good" /> <b class="name-long">{sent.program}</b>{' '}
        {address !== '' && (
          <>
            serves on <Outside href={address}>{address.replace(/^https?:\/\//, '')}</Outside>
          </>
        )}
        {from !== undefined && to !== undefined && `, ${exactSpan(to - from)} after it was sent`}.
        {p !== undefined && p.revision > 1 && ` It is revision ${p.revision}.`}
      </p>
      <Links program={sent.program} />
    </section>
  );
}

export function Same({ sent, p }: ResultProps) {
  return (
    <section class="outcome">
      <p>
        <Glyph state="Ready" role="good" /> The host has these very files: what serves
        {p !== undefined && p.revision > 0 ? ` as revision ${p.revision}` : ''} is made of them. Nothing was
        done.
      </p>
      <Links program={sent.program} />
    </section>
  );
}

export function Ended({ sent }: ResultProps) {
  return (
    <section class="outcome">
      <p>
        <Glyph state="Stopped" role="rest" /> <b class="name-long">{sent.program}</b> ran to its end, and its
        restartPolicy leaves it there.
      </p>
      <Links program={sent.program} />
    </section>
  );
}

export function Stopped({ sent }: ResultProps) {
  return (
    <section class="outcome-rest">
      <p>
        <Glyph state="Stopped" role="rest" /> It was stopped. <b class="name-long">{sent.program}</b> is
        there, and its sources with it.
      </p>
      <p class="do">
        <Button onClick={() => void startIt()}>Start it</Button>
        <Button onClick={() => void deploy()}>Send it again</Button>
      </p>
    </section>
  );
}

export function NotStarted({ sent, why }: ResultProps & { why: string }) {
  return (
    <section class="trouble bad single">
      <div class="trouble-main">
        <h2>
          <Sign role="bad" />
          <span>The sources are there; the start was not taken</span>
        </h2>
        <p>
          <b class="name-long">{sent.program}</b> has all that was sent. It was said: {why}
        </p>
        <div class="trouble-acts">
          <Button kind="primary" onClick={() => void startIt()}>
            Start it
          </Button>
        </div>
      </div>
    </section>
  );
}

export function Gone() {
  return (
    <section class="outcome-rest">
      <p>Somebody deleted the program meanwhile. What you sent is still here on the left.</p>
      <p class="do">
        <Button
          kind="primary"
          onClick={() => {
            forget();
            void deploy();
          }}
        >
          Make another one of it
        </Button>
      </p>
    </section>
  );
}
