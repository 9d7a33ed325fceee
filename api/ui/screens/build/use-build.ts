import { useEffect, useState } from 'preact/hooks';
import { takeRecord } from '../../../../schemas/build-records.ts';
import {
  type Build,
  type BuildRecord,
  type BuildSummary,
  emptyBuild,
} from '../../../../schemas/build-step.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { wordsOfError } from '../../state/acts.ts';
import { createWaits, inFrame, pauseUntilSeen, watchStream } from '../../state/again.ts';
import { client } from '../../state/client.ts';

/** While a program waits to be built, it is looked this often whether that has begun, in milliseconds. */
const LOOK_MS = 2_000;

export interface BuildState {
  build: Build | undefined;
  /** The newest first. */
  builds: readonly BuildSummary[];
  /** Why it can not be read; `""` while it can. */
  error: string;
}

/** A build of a program, and the others that are kept. @param id of an earlier one; undefined: the newest, as it goes */
export function useBuild(p: ProgramBody, id: string | undefined): BuildState {
  const [state, set] = useState<BuildState>({ build: undefined, builds: [], error: '' });
  const name = p.program_id;
  const isBuilding = p.state === 'Building' || p.reason === 'Building';
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const show = (changes: Partial<BuildState>) => {
      if (!signal.aborted) set((before) => ({ ...before, ...changes }));
    };
    const look = async () => {
      const [build, builds] = await Promise.all([client.build(name, id), client.builds(name)]);
      show({ build, builds, error: '' });
      return build;
    };
    void (async () => {
      const waits = createWaits();
      while (!signal.aborted) {
        try {
          const build = await look();
          waits.heard();
          if (id !== undefined || signal.aborted) return;
          if (build.outcome === 'Running') {
            await followBuild(name, signal, (next) => show({ build: next }));
            // As it is kept, with what else is.
            await look();
          } else if (!isBuilding) return;
          await pauseUntilSeen(LOOK_MS, signal);
        } catch (error) {
          if (signal.aborted) return;
          show({ error: wordsOfError(error) });
          await pauseUntilSeen(waits.next(), signal);
        }
      }
    })();
    return () => stop.abort();
  }, [name, id, isBuilding, p.build_id, p.wanted_revision]);
  return state;
}

/** Resolves when the build has ended, or its stream. */
async function followBuild(
  name: string,
  signal: AbortSignal,
  onBuild: (build: Build) => void,
): Promise<void> {
  let build = emptyBuild('');
  let isTold = true;
  const tell = () => {
    isTold = true;
    // Another object, so that it is drawn; its steps are the same.
    onBuild({ ...build });
  };
  const take = (record: BuildRecord) => {
    if (record.kind === 'build') build = { ...emptyBuild(''), outcome: 'Running' };
    takeRecord(build, record);
    if (isTold) inFrame(tell);
    isTold = false;
  };
  const abort = new AbortController();
  const silence = watchStream(abort);
  const one = AbortSignal.any([abort.signal, signal]);
  try {
    for await (const { record } of client.followBuild(name, '', one, silence.heard)) take(record);
  } finally {
    silence.end();
    abort.abort();
  }
}
