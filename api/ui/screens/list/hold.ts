import { useEffect, useMemo } from 'preact/hooks';
import type { ListModel } from './list-model.ts';

/** The order is let go so long after pointer and focus have left, in milliseconds: on the way to "sort again". */
const LET_GO_MS = 600;
/** Where it is held: the rows, and what is below them. */
const PLACES = '.programs .tbody, .list-foot';

/** For an element in which the order of the list is held. */
export interface Hold {
  onPointerEnter: () => void;
  onPointerLeave: () => void;
  onFocusIn: () => void;
  onFocusOut: () => void;
}

/** Holds the order while pointer or focus is there. */
export function useHold(model: ListModel): Hold {
  const { hold, look, close } = useMemo(() => createHold(model), [model]);
  // What had the focus may have gone.
  useEffect(look);
  useEffect(() => close, [close]);
  return hold;
}

function createHold(model: ListModel) {
  let hasPointer = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isIn = () => hasPointer || document.activeElement?.closest(PLACES) != null;
  const letGo = () => {
    timer = undefined;
    if (!isIn()) model.isHeld.value = false;
  };
  const look = () => {
    if (isIn()) model.isHeld.value = true;
    else timer ??= setTimeout(letGo, LET_GO_MS);
  };
  const point = (isThere: boolean) => {
    hasPointer = isThere;
    look();
  };
  return {
    look,
    hold: {
      onPointerEnter: () => point(true),
      onPointerLeave: () => point(false),
      onFocusIn: look,
      onFocusOut: () => queueMicrotask(look),
    },
    close: () => {
      clearTimeout(timer);
      model.isHeld.value = false;
    },
  };
}
