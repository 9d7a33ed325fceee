/** A piece of the picture, as data: what is drawn can be tested without drawing it. Places are CSS pixels. */
export type Shape =
  | { kind: 'rect'; class: string; x: number; y: number; width: number; height: number; isHatched?: boolean }
  | { kind: 'path'; class: string; d: string }
  | { kind: 'text'; class: string; x: number; y: number; text: string; anchor: 'start' | 'middle' | 'end' };

/** One lane as it is drawn with its top at 0. */
export interface Lane {
  label: string;
  height: number;
  shapes: readonly Shape[];
}

/** About what a letter of an axis takes. */
export const LETTER_PX = 6.7;

export function text(
  className: string,
  x: number,
  y: number,
  words: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): Shape {
  return { kind: 'text', class: className, x: round(x), y, text: words, anchor };
}

export function path(className: string, d: string): Shape {
  return { kind: 'path', class: className, d };
}

export function round(px: number): number {
  return Math.round(px * 10) / 10;
}

/** Lower by so much. */
export function lowered(shape: Shape, by: number): Shape {
  if (shape.kind !== 'path') return { ...shape, y: shape.y + by };
  // Absolute places alone: `M` and `L` with x and y, `H` with x; what is small is relative.
  const d = shape.d.replace(/([ML])(-?[\d.]+) (-?[\d.]+)/g, (_, letter: string, x: string, y: string) => {
    return `${letter}${x} ${round(Number(y) + by)}`;
  });
  return { ...shape, d };
}
