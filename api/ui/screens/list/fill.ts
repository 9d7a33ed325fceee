/** So many blocks of rows are filled in one frame; with the rest, the frame would take longer than the eye allows. */
const BLOCKS_PER_FRAME = 3;

/** Where the time of a page goes by frames. */
export interface Frames {
  /** Calls back before the next frame is drawn. */
  next(run: () => void): void;
}

export interface Filling {
  /** Fills a block when its turn comes: first come, first filled. @returns what calls that off */
  soon(fill: () => void): () => void;
}

/** However fast somebody scrolls, and however rarely a busy machine draws: no frame fills more than a few blocks. */
export function createFilling(frames: Frames, perFrame = BLOCKS_PER_FRAME): Filling {
  const waiting = new Set<() => void>();
  let isAsked = false;
  const ask = () => {
    if (isAsked) return;
    isAsked = true;
    frames.next(turn);
  };
  function turn(): void {
    isAsked = false;
    for (const fill of [...waiting].slice(0, perFrame)) {
      waiting.delete(fill);
      fill();
    }
    if (waiting.size > 0) ask();
  }
  return {
    soon(fill) {
      waiting.add(fill);
      ask();
      return () => waiting.delete(fill);
    },
  };
}

export const filling = createFilling({ next: (run) => requestAnimationFrame(run) });
