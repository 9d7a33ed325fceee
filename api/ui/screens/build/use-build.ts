import { useEffect, useState } from 'preact/hooks';
import type { Build, BuildSummary } from '../../../../schemas/build-step.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { wordsOfError } from '../../state/acts.ts';
import { createWaits, pauseUntilSeen } from '../../state/again.ts';
import { client } from '../../state/client.ts';
import { followBuild } from '../../state/follow-build.ts';

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
