import { useEffect, useState } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { wordsOfError } from '../../state/acts.ts';
import { client } from '../../state/client.ts';
import { isAbsent } from './is-absent.ts';

const ROUTES = ['status', 'varState', 'watching', 'signals', 'memoCache', 'config'] as const;
export type WatcherRoute = (typeof ROUTES)[number];

/** It is asked this often while the tab is looked at, in milliseconds. */
export const ASK_MS = 2_000;

export interface Watched {
  /** What each route answered last; those that the program does not have are not in it. */
  answers: Partial<Record<WatcherRoute, unknown>>;
  /** Whether it has no such API. */
  isAbsent: boolean;
  /** Epoch milliseconds of the last answer; undefined before the first. */
  at: number | undefined;
  error: string;
}

/** What a program's WatcherAPI says, asked now and then while it is Ready and the tab is seen. */
export function useWatcher(p: ProgramBody): Watched {
  const [watched, set] = useState<Watched>({ answers: {}, isAbsent: false, at: undefined, error: '' });
  const isReady = p.state === 'Ready';
  useEffect(() => {
    if (!isReady) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Another run may be of another version.
    const absent = new Set<WatcherRoute>();
    const look = async () => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') {
        const next = await askAll(p.program_id, absent);
        if (isOver) return;
        set((before) => (next.at === undefined ? { ...before, error: next.error } : next));
      }
      clearTimeout(timer);
      timer = setTimeout(look, ASK_MS);
    };
    const onSeen = () => {
      if (document.visibilityState === 'visible') void look();
    };
    void look();
    document.addEventListener('visibilitychange', onSeen);
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onSeen);
    };
  }, [p.program_id, isReady, p.container_id, p.started_at]);
  return watched;
}

/** @param absent routes that it has not; those that are found to be none are put there */
async function askAll(name: string, absent: Set<WatcherRoute>): Promise<Watched> {
  const answers: Watched['answers'] = {};
  let error = '';
  await Promise.all(
    ROUTES.filter((route) => !absent.has(route)).map(async (route) => {
      try {
        answers[route] = await client.ask(name, `/watcher/${route}`);
      } catch (refused) {
        if (isAbsent(refused)) absent.add(route);
        else error = wordsOfError(refused);
      }
    }),
  );
  const isNothing = absent.size === ROUTES.length;
  const isAnswer = isNothing || Object.keys(answers).length > 0;
  return { answers, isAbsent: isNothing, at: isAnswer ? Date.now() : undefined, error };
}
