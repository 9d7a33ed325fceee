import { useEffect, useState } from 'preact/hooks';
import type { Build } from '../../../../schemas/build-step.ts';
import { client } from '../../state/client.ts';
import { onEvent } from '../../state/programs.ts';
import { stream } from '../../state/stream.ts';
import type { Sent } from './draft.ts';
import { type EventBody, merged } from './progress.ts';

/** The build is asked for this often while it goes, in milliseconds. */
const ASK_MS = 1_000;

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

/** The build of what was sent, as far as it has come; undefined where there is none: all was made before. */
export function useBuild(sent: Sent | undefined, isGoing: boolean): Build | undefined {
  const [build, setBuild] = useState<Build>();
  const { program = '', buildId = '', buildBefore = '' } = sent ?? {};
  useEffect(() => setBuild(undefined), [program, buildId, buildBefore]);
  useEffect(() => {
    if (program === '') return;
    let isGone = false;
    const ask = async () => {
      const found = await client.build(program).catch(() => undefined);
      if (isGone || found === undefined || found.id === '' || found.id === buildBefore) return;
      if (found.build_id === buildId) setBuild(found);
    };
    void ask();
    const timer = isGoing ? setInterval(() => void ask(), ASK_MS) : undefined;
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [program, buildId, buildBefore, isGoing]);
  return build;
}
