import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import type { HostView } from '../../../schemas/host-view.ts';
import { ApiError } from '../../client.ts';
import { client } from './client.ts';
import { stream } from './stream.ts';

const view = signal<HostView | undefined>(undefined);

/** What the host says of itself; undefined before its first answer. */
export const host: ReadonlySignal<HostView | undefined> = view;

const refusal = signal('');

/** Why it does not say: a token of one user is not for that; `""` where that is not so. */
export const hostRefusal: ReadonlySignal<string> = refusal;

/** What the host says of itself changes seldom, and no event tells of it: it is asked this often, in milliseconds. */
const ASK_MS = 10_000;

/** Asks now. What fails leaves what was known: the bar says that the host does not answer. */
export async function askHost(): Promise<void> {
  try {
    view.value = await client.host();
  } catch (error) {
    if (error instanceof ApiError && error.status === 403)
      refusal.value = `The host does not tell of itself: ${error.message}.`;
  }
}

/** Asks now and then, while the page is looked at. */
export function startHost(): void {
  effect(() => {
    if (stream.value.state === 'live') void askHost();
  });
  setInterval(() => {
    if (document.visibilityState === 'visible' && stream.peek().state === 'live') void askHost();
  }, ASK_MS);
}

const unwatchedText = computed(() =>
  JSON.stringify(
    (view.value?.unwatched ?? []).map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) })),
  ),
);

/** When nobody looked at programs, epoch milliseconds; the same list for as long as it is the same. */
export const unwatched: ReadonlySignal<readonly { from: number; to: number }[]> = computed(() =>
  JSON.parse(unwatchedText.value),
);

/** Why the engine is away; `""` while it answers, and before it is known. */
export function engineAway(): string {
  const { engine } = view.value ?? {};
  return engine === undefined || engine.version !== null ? '' : engine.message || 'it does not answer';
}
