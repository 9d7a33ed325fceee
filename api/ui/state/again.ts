/** What followers of the host have in common. */

/** Waits between tries, in milliseconds. */
const AGAIN_MS = 500;
const AGAIN_MS_MAX = 10_000;
/** The host sends a comment at least every 15 s; what is silent for longer than this is broken, in milliseconds. */
const SILENT_MS_MAX = 40_000;
const LOOK_MS = 1_000;
/** A browser has six connections to a host, for all tabs together: a tab that is not looked at so long lets its own go. */
const HIDDEN_MS_MAX = 10_000;
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

export interface Watch {
  /** To be called whenever something comes. */
  heard(): void;
  /** Epoch milliseconds of the last word; undefined before the first. */
  heardAt(): number | undefined;
  /** Whether it was given up since nobody looks at it. */
  isLetGo(): boolean;
  end(): void;
}

/** Gives up a stream that says nothing any more, or that nobody looks at once it has said something. */
export function watchStream(abort: AbortController): Watch {
  const begunAt = Date.now();
  let heardAt: number | undefined;
  let hiddenMs = 0;
  let isLetGo = false;
  const watch = setInterval(() => {
    hiddenMs = document.visibilityState === 'visible' ? 0 : hiddenMs + LOOK_MS;
    isLetGo = hiddenMs >= HIDDEN_MS_MAX && heardAt !== undefined;
    if (isLetGo || Date.now() - (heardAt ?? begunAt) > SILENT_MS_MAX) abort.abort();
  }, LOOK_MS);
  return {
    heard: () => {
      heardAt = Date.now();
    },
    heardAt: () => heardAt,
    isLetGo: () => isLetGo,
    end: () => clearInterval(watch),
  };
}

/** Waits, and then until the tab is looked at. */
export async function pauseUntilSeen(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, signal);
  while (document.visibilityState !== 'visible' && !signal.aborted) await pause(HIDDEN_MS_MAX, signal);
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

/** Once, with the next frame; at once where the tab is hidden before that comes. */
export function inFrame(work: () => void): void {
  if (document.visibilityState !== 'visible') {
    setTimeout(work, UNSEEN_MS);
    return;
  }
  const run = () => {
    cancelAnimationFrame(frame);
    document.removeEventListener('visibilitychange', run);
    work();
  };
  const frame = requestAnimationFrame(run);
  document.addEventListener('visibilitychange', run);
}

/** Work in frames, as `inFrame`, but no sooner than so long after the last, in milliseconds: each frame costs a layout. */
export function createBeat(ms: number): (work: () => void) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (work) => {
    const run = () => {
      lastAt = performance.now();
      work();
    };
    const waitMs = lastAt + ms - performance.now();
    if (waitMs <= 0) inFrame(run);
    else setTimeout(() => inFrame(run), waitMs);
  };
}
