import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import type { Frame } from './frame.ts';

interface Told {
  /** Where the pointer is, epoch milliseconds. */
  onMove: (time: number) => void;
  onDone: (stretch: { from: number; to: number }) => void;
}

/** What moves less than this is a click, in pixels. */
const DRAG_PX_MIN = 4;

/** A stretch of time, drawn with the pointer. */
export function useDrag(place: RefObject<SVGSVGElement | null>, frame: Frame, { onMove, onDone }: Told) {
  const [begun, begin] = useState<number>();
  const [chosen, choose] = useState<{ from: number; to: number }>();
  const timeOf = ({ clientX }: PointerEvent) =>
    frame.timeAt(clientX - (place.current?.getBoundingClientRect().left ?? 0));
  const end = () => {
    begin(undefined);
    choose(undefined);
  };
  return {
    chosen,
    listeners: {
      onPointerDown: (event: PointerEvent) => {
        if (event.button !== 0) return;
        begin(timeOf(event));
        place.current?.setPointerCapture(event.pointerId);
        onMove(timeOf(event));
      },
      onPointerMove: (event: PointerEvent) => {
        const time = timeOf(event);
        onMove(time);
        if (begun === undefined || Math.abs(frame.x(time) - frame.x(begun)) <= DRAG_PX_MIN) return;
        choose({ from: Math.min(begun, time), to: Math.max(begun, time) });
      },
      onPointerUp: () => {
        if (chosen !== undefined) onDone(chosen);
        end();
      },
      onPointerCancel: end,
    },
  };
}
