import { useEffect, useRef } from 'preact/hooks';
import type { Build } from '../../../../schemas/build-step.ts';
import { BuildView } from '../../parts/build-view.tsx';
import { Button } from '../../parts/button.tsx';
import { Ladder } from '../../parts/ladder.tsx';
import { firstOf } from '../../parts/ladder-steps.ts';
import { outcomeOf as actOutcomeOf, stop } from '../../state/acts.ts';
import { announce } from '../../state/announce.ts';
import { now } from '../../state/now.ts';
import { isLoaded, programOf } from '../../state/programs.ts';
import { programHref } from '../../state/route.ts';
import { stream } from '../../state/stream.ts';
import { exactSpan, plural } from '../../words/span.ts';
import type { Sent } from './draft.ts';
import { Failed } from './failed.tsx';
import { useBuild, useEvents } from './follow.ts';
import { Lost } from './lost.tsx';
import { type Outcome, outcomeOf, titleOf } from './outcome.ts';
import { Ended, Gone, NotStarted, Ready, Same, Stopped } from './outcomes.tsx';
import { type Progress, progressOf } from './progress.ts';
import type { ResultProps } from './result-props.ts';

/** What was sent, on its way to Ready. */
export function Followed({ sent }: { sent: Sent }) {
  const p = programOf(sent.program)?.value;
  const wasThere = useRef(false);
  if (p !== undefined) wasThere.current = true;
  const events = useEvents(sent.program);
  const createdAt = sent.isNew ? p?.created_at : undefined;
  const progress = progressOf(events, { createdAt, since: sent.since });
  const { notStarted, isSame } = sent;
  const outcome = outcomeOf(progress, p, {
    notStarted,
    isSame,
    wasThere: wasThere.current && isLoaded.value,
  });
  const isBuilding = outcome.kind === 'going' && ['Created', 'Building'].includes(outcome.state);
  const build = useBuild(sent, isBuilding, progress.moments.Building);
  const title = titleOf(outcome);
  useEffect(() => announce(`${sent.program}: ${title}`), [title]);
  const isGoing = outcome.kind === 'going';
  return (
    <>
      <Head {...{ sent, outcome, progress }} />
      {stream.value.state === 'lost' && <Lost since={stream.value.since} />}
      {outcome.kind !== 'same' && (
        <Ladder
          moments={progress.moments}
          failed={outcome.kind === 'failed' ? outcome.at : undefined}
          nowMs={isGoing ? now.value : undefined}
        />
      )}
      <Result {...{ sent, p, outcome, progress, build }} />
      <Built build={build} isOpen={isBuilding || (outcome.kind === 'failed' && outcome.at === 'Building')} />
    </>
  );
}

function Head({ sent, outcome, progress }: { sent: Sent; outcome: Outcome; progress: Progress }) {
  const { moments } = progress;
  const began = Object.keys(moments).length === 0 ? undefined : firstOf(moments);
  const ended = Math.max(...Object.values(moments));
  const { kind } = outcome;
  const said = actOutcomeOf(sent.program);
  return (
    <div class="part-top">
      <h2 id="happens-title">{titleOf(outcome)}</h2>
      {began !== undefined && (kind === 'going' || kind === 'ready') && (
        <span class="since">
          {kind === 'ready' ? `after ${exactSpan(ended - began)}` : exactSpan(now.value - began)}
        </span>
      )}
      <span class="grow" />
      {said?.role === 'bad' && <span class="note is-bad">{said.text}</span>}
      {kind === 'going' && sent.isNew && (
        <Button
          title="Ends what is being made; the program stays, Stopped"
          onClick={() => void stop(sent.program)}
        >
          Stop
        </Button>
      )}
      {kind !== 'gone' && kind !== 'ready' && (
        <a
          href={programHref(
            sent.program,
            kind === 'failed' && outcome.at === 'Building' ? { tab: 'build' } : {},
          )}
        >
          Open the program
        </a>
      )}
    </div>
  );
}

function Result(props: ResultProps) {
  switch (props.outcome.kind) {
    case 'going':
      return <Going {...props} />;
    case 'failed':
      return <Failed {...props} />;
    case 'ready':
      return <Ready {...props} />;
    case 'ended':
      return <Ended {...props} />;
    case 'stopped':
      return <Stopped {...props} />;
    case 'same':
      return <Same {...props} />;
    case 'notStarted':
      return <NotStarted {...props} why={props.outcome.why} />;
    case 'gone':
      return <Gone />;
  }
}

function Going({ sent, p, outcome }: ResultProps) {
  if (outcome.kind !== 'going') return null;
  return (
    <p class="note">
      {sent.isNew
        ? 'It goes on by itself: you can leave this page.'
        : p !== undefined && p.revision > 0 && (outcome.state === 'Created' || outcome.state === 'Building')
          ? `Revision ${p.revision} serves meanwhile. You can leave this page.`
          : 'It goes on by itself: you can leave this page.'}
    </p>
  );
}

/** The steps of the build: open while it goes, and where it failed. */
function Built({ build, isOpen }: { build: Build | undefined; isOpen: boolean }) {
  if (build === undefined) return null;
  if (isOpen) return <BuildView build={build} />;
  const cached = build.steps.filter((step) => step.cached === true).length;
  return (
    <details class="steps-done">
      <summary>
        The build: {plural(build.steps.length, 'step')}, {cached} cached
      </summary>
      <BuildView build={build} />
    </details>
  );
}
