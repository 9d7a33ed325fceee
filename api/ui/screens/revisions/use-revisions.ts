import { useEffect, useState } from 'preact/hooks';
import type { RevisionView } from '../../../program-answers.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { wordsOfError } from '../../state/acts.ts';
import { client } from '../../state/client.ts';
import { stream } from '../../state/stream.ts';

/** Undefined before the first answer; `why` it could not be asked last, or `""`. */
interface Loaded {
  list: readonly RevisionView[] | undefined;
  why: string;
}

/** The revisions of a program, the newest first, asked for again whenever they may be others. */
export function useRevisions(p: ProgramBody): Loaded & { again: () => void } {
  const [loaded, setLoaded] = useState<Loaded>({ list: undefined, why: '' });
  const [turn, setTurn] = useState(0);
  const isLive = stream.value.state === 'live';
  useEffect(() => {
    let isGone = false;
    client.revisions(p.program_id).then(
      (list) => {
        if (!isGone) setLoaded({ list: [...list].reverse(), why: '' });
      },
      (error: unknown) => {
        if (!isGone) setLoaded((before) => ({ list: before.list, why: wordsOfError(error) }));
      },
    );
    return () => {
      isGone = true;
    };
  }, [
    p.program_id,
    p.wanted_revision,
    p.revision,
    p.state,
    p.reason,
    p.commit,
    p.wanted_commit,
    isLive,
    turn,
  ]);
  return { ...loaded, again: () => setTurn((before) => before + 1) };
}
