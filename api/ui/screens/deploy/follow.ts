import { useEffect, useState } from 'preact/hooks';
import type { Build } from '../../../../schemas/build-step.ts';
import { createWaits, pauseUntilSeen } from '../../state/again.ts';
import { client } from '../../state/client.ts';
import { followBuild } from '../../state/follow-build.ts';
import { onEvent } from '../../state/programs.ts';
import { stream } from '../../state/stream.ts';
import type { Sent } from './draft.ts';
import { type EventBody, merged } from './progress.ts';

/** Before it goes, and after, the build is looked for so often, in milliseconds. */
const LOOK_MS = 2_000;

/** All events of a program that are kept, the oldest first, and those that come. */
export function useEvents(name: string): readonly EventBody[] {
  const [events, setEvents] = useState<readonly EventBody[]>([]);
  const isLive = stream.value.state === 'live';
  useEffect(() => setEvents([]), [name]);
  useEffect(() => {
    if (name === '' || !isLive) return;
    let isGone = false;
    const add = (some: readonly EventBody[]) => {
      if (!isGone) setEvents((known) => merged(known, some));
    };
    const end = onEvent(({ program_id, ...event }) => {
      if (program_id === name) add([event]);
    });
    // What came before this was listened to.
    client.events(name).then(add, () => undefined);
    return () => {
      isGone = true;
      end();
    };
  }, [name, isLive]);
  return events;
}

/**
 * The build of what was sent, as it goes; undefined where there is none: all was made before.
 * @param isGoing whether one goes, or is to come
 * @param begun when it began, as the events tell it
 */
export function useBuild(
  sent: Pick<Sent, 'program' | 'buildId' | 'buildBefore'>,
  isGoing: boolean,
  begun: number | undefined,
): Build | undefined {
  const [build, setBuild] = useState<Build>();
  const { program, buildId, buildBefore } = sent;
  useEffect(() => setBuild(undefined), [program, buildId, buildBefore]);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const isOurs = (found: Build) =>
      found.id !== '' && found.id !== buildBefore && found.build_id === buildId;
    const show = (found: Build) => {
      if (!signal.aborted && isOurs(found)) setBuild(found);
    };
    void (async () => {
      const waits = createWaits();
      while (!signal.aborted) {
        try {
          const found = await client.build(program);
          show(found);
          waits.heard();
          if (isOurs(found) && found.outcome === 'Running') {
            await followBuild(program, signal, show);
            // As it is kept, with what else is.
            show(await client.build(program));
          }
          if (!isGoing) return;
          await pauseUntilSeen(LOOK_MS, signal);
        } catch {
          // That the host is away is told elsewhere.
          await pauseUntilSeen(waits.next(), signal);
        }
      }
    })();
    return () => stop.abort();
  }, [program, buildId, buildBefore, isGoing, begun]);
  return build;
}
