import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { ProgramBody } from '../../../routes/view.ts';
import { client } from '../../state/client.ts';
import { onEvent } from '../../state/programs.ts';
import { stream } from '../../state/stream.ts';
import { msOf } from '../../words/span.ts';
import { isChanged } from './edit.ts';
import type { ManifestStore } from './manifest-store.ts';
import { createManifestStore } from './store.ts';

/** Looks are so far apart, in milliseconds: a program that crashes changes all the time, and its manifest does not. */
const LOOK_MS = 2_000;
/**
 * What changes nothing that runs, as a comment or a grace period, is told by no event: it is looked for this often, in
 * milliseconds, while the page is looked at.
 */
const UNTOLD_MS = 5_000;
/** So long it waits for what else changes at the same moment. */
const SOON_MS = 250;

/** Who changed it last while it was open here. */
export interface ChangedBy {
  author: string;
  at: number | undefined;
}

/** The manifest of a program, looked at again whenever it may have changed. */
export function useManifest(p: ProgramBody) {
  const name = p.program_id;
  const changedBy = useSignal<ChangedBy | undefined>(undefined);
  const [store, soon] = useMemo(() => {
    const made = createManifestStore(name, { client, storage: sessionStorage, now: Date.now });
    return [made, lookSoon(made)] as const;
  }, [name]);

  useEffect(() => {
    const stop = onEvent((event) => {
      if (event.program_id !== name) return;
      if (event.reason === 'ManifestReplaced' || event.reason === 'ManifestChanged')
        changedBy.value = { author: event.author ?? '', at: msOf(event.time) };
      soon.look();
    });
    const onSeen = () => {
      if (document.visibilityState === 'visible') soon.look();
    };
    document.addEventListener('visibilitychange', onSeen);
    const untold = setInterval(() => stream.peek().state === 'live' && onSeen(), UNTOLD_MS);
    void store.look();
    return () => {
      stop();
      clearInterval(untold);
      document.removeEventListener('visibilitychange', onSeen);
      soon.close();
      store.close();
    };
  }, [store]);
  useEffect(soon.look, [store, p.wanted_revision, p.state, p.updated_at]);
  useSignalEffect(() => {
    if (stream.value.state === 'live') soon.look();
  });
  useSignalEffect(() => {
    const edit = store.edit.value;
    if (edit === undefined || !isChanged(edit)) return undefined;
    addEventListener('beforeunload', askFirst);
    return () => removeEventListener('beforeunload', askFirst);
  });
  return { store, changedBy };
}

function askFirst(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function lookSoon(store: ManifestStore) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lookedAt = 0;
  return {
    look(): void {
      if (timer !== undefined) return;
      const wait = Math.max(SOON_MS, lookedAt + LOOK_MS - Date.now());
      timer = setTimeout(() => {
        timer = undefined;
        lookedAt = Date.now();
        void store.look();
      }, wait);
    },
    close: () => clearTimeout(timer),
  };
}
