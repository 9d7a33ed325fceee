import { signal } from '@preact/signals';

/** Epoch milliseconds, a second at a time; stands still while the tab is not seen. */
export const now = signal(Date.now());

/** Begins to tick. */
export function startClock(): void {
  const tick = () => {
    if (document.visibilityState === 'visible') now.value = Date.now();
  };
  setInterval(tick, 1_000);
  document.addEventListener('visibilitychange', tick);
}
