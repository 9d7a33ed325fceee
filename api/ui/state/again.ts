/** What followers of the host have in common. */

/** Waits between tries, in milliseconds. */
const AGAIN_MS = 500;
const AGAIN_MS_MAX = 10_000;
/** The host sends a comment at least every 15 s; what is silent for longer than this is broken, in milliseconds. */
const SILENT_MS_MAX = 40_000;
const LOOK_MS = 5_000;
/** A tab that is not seen has no frames: it does its work this often, in milliseconds. */
const UNSEEN_MS = 250;

/** How long to wait before the next try: longer each time, until something is heard. */
export function createWaits(): { next(): number; heard(): void } {
  let ms = AGAIN_MS;
  return {
    next() {
      const now = ms;
      ms = Math.min(AGAIN_MS_MAX, ms * 2);
      return now;
    },
    heard() {
      ms = AGAIN_MS;
    },
  };
}

/** Gives up a stream that says nothing any more. @returns `heard`, for whenever something comes, and what ends the watch */
export function watchSilence(abort: AbortController): { heard: () => void; end: () => void } {
  let heardAt = Date.now();
  const watch = setInterval(() => {
    if (Date.now() - heardAt > SILENT_MS_MAX) abort.abort();
  }, LOOK_MS);
  return {
    heard: () => {
      heardAt = Date.now();
    },
    end: () => clearInterval(watch),
  };
}

/** Ends early when the tab is looked at again, when the network is back, or with the signal. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener('online', end);
      document.removeEventListener('visibilitychange', end);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener('online', end);
    document.addEventListener('visibilitychange', end);
    signal?.addEventListener('abort', end);
  });
}

/** Once, with the next frame. */
export function inFrame(work: () => void): void {
  if (document.visibilityState === 'visible') requestAnimationFrame(work);
  else setTimeout(work, UNSEEN_MS);
}
