import { useState } from 'preact/hooks';
import type { Build, BuildSummary } from '../../../../schemas/build-step.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { ActButton } from '../../parts/acts.tsx';
import { BuildView, useTicks } from '../../parts/build-view.tsx';
import { Glyph, Sign } from '../../parts/glyph.tsx';
import type { PartProps } from '../../parts/part-props.ts';
import { Mono, Outside } from '../../parts/small.tsx';
import { Time } from '../../parts/time.tsx';
import { isSignedIn } from '../../state/session.ts';
import { cachedWords, outcomeWords } from '../../words/build-steps.ts';
import { exactTime, middle, msOf, plural, shortTime } from '../../words/span.ts';
import { useBuild } from './use-build.ts';

/** The newest build of a program by its steps, as it goes, and earlier ones. */
export function BuildPart({ p }: PartProps) {
  const [id, choose] = useState<string>();
  const { build, builds, error } = useBuild(p, id);
  if (error !== '' && build === undefined) return <p class="bare">The build can not be read: {error}</p>;
  if (build === undefined) return <p class="bare">Loading…</p>;
  if (build.outcome === null && build.steps.length === 0 && builds.length === 0) return <NoBuild p={p} />;
  const isNewest = id === undefined;
  const isOld = p.build_id === '' && build.outcome !== 'Running';
  return (
    <>
      <div class="part-top">
        <Outcome build={build} />
        <span class="grow" />
        {builds.length > 1 && <Others {...{ builds, shown: build.id, choose }} />}
        {isNewest && build.outcome !== 'Running' && build.outcome !== 'Succeeded' && (
          <ActButton name="buildAgain" p={p} />
        )}
        {isNewest && !isSignedIn() && (
          <Outside href={`/programs/${encodeURIComponent(p.program_id)}/build-log?format=text`}>
            Plain text
          </Outside>
        )}
      </div>
      {isOld && <p class="stretch">It runs an image that is not built here; this is of before.</p>}
      {error !== '' && <p class="stretch">Not live: {error}</p>}
      <Notes build={build} />
      <BuildView build={build} />
    </>
  );
}

function NoBuild({ p }: { p: ProgramBody }) {
  if (p.build_id !== '')
    return <p class="bare">Nothing is known of a build: it was not built yet, or its record is gone.</p>;
  return (
    <p class="bare">
      Nothing is built: it runs an image as it is
      {p.image_id !== '' && (
        <>
          {', '}
          <Mono title={p.image_id}>{middle(p.image_id, 26)}</Mono>
        </>
      )}
      .
    </p>
  );
}

function Outcome({ build }: { build: Build }) {
  const nowMs = useTicks(build.outcome === 'Running');
  const words = outcomeWords(build, nowMs);
  return (
    <p>
      {build.outcome === 'Succeeded' && <Glyph state="Ready" role="good" />}
      {build.outcome === 'Running' && <Glyph state="Building" role="busy" />}
      {build.outcome === 'Failed' && <Sign role="bad" />}
      {(build.outcome === 'Canceled' || build.outcome === 'Interrupted') && <Sign role="warn" />}
      <b>{words}</b>
      {', '}
      <Mono>{build.build_id}</Mono>
      {build.started !== null && (
        <>
          , <Time at={msOf(build.ended ?? build.started)} />
        </>
      )}
      . <span class="note">{cachedWords(build)}</span>
    </p>
  );
}

/** What is to be known of it beside its steps. */
function Notes({ build }: { build: Build }) {
  const isTold = build.steps.some(({ error }) => error !== '');
  return (
    <>
      {build.dockerfile_line !== null && (
        <p class="result bad">
          Line {build.dockerfile_line} of the Dockerfile can not be read: {build.error}
        </p>
      )}
      {build.dockerfile_line === null && build.error !== '' && !isTold && (
        <p class="result bad">{build.error}</p>
      )}
      {build.is_cut && (
        <p class="stretch">It printed more than is kept: the rest is left off, but no step and no error.</p>
      )}
      {build.is_damaged && (
        <p class="stretch">
          Part of what was written down of it can not be read: steps or lines may be missing.
        </p>
      )}
    </>
  );
}

interface OthersProps {
  builds: readonly BuildSummary[];
  shown: string;
  choose: (id: string | undefined) => void;
}

function Others({ builds, shown, choose }: OthersProps) {
  const nowMs = Date.now();
  return (
    <select
      aria-label="Which build"
      value={shown}
      onChange={({ currentTarget: { value } }) => choose(value === builds[0]?.id ? undefined : value)}
    >
      {builds.map(({ id, started, outcome, steps }, at) => {
        const ms = msOf(started);
        return (
          <option key={id} value={id} title={ms === undefined ? undefined : exactTime(ms)}>
            {at === 0 ? 'Newest' : ms === undefined ? id : shortTime(ms, nowMs)}: {outcome ?? 'not known'},{' '}
            {plural(steps, 'step')}
          </option>
        );
      })}
    </select>
  );
}
