import type { UsageBody } from '../../../routes/usage.ts';
import { mebi, msOf } from '../../words/span.ts';
import type { Frame } from './frame.ts';
import { type Lane, path, round, type Shape, text } from './shape.ts';

/** Figures a step apart; null for what is not known, or did not run. */
export interface Figures {
  startMs: number;
  stepMs: number;
  memory: readonly (number | null)[];
  cpu: readonly (number | null)[];
  /** Bytes and cores; null where they are not known. */
  memoryLimit: number | null;
  cpuLimit: number | null;
  /** Why there are none, or `""`. */
  why: string;
}

export const NO_FIGURES: Figures = {
  ...{ startMs: 0, stepMs: 15_000, memory: [], cpu: [] },
  ...{ memoryLimit: null, cpuLimit: null, why: 'not asked yet' },
};

/** @param limits of the spec in force, for a program that does not run */
export function figuresOf(body: UsageBody, limits: { memory_bytes: number; cpus: number } | null): Figures {
  const { series, reason } = body;
  return {
    startMs: msOf(series?.start) ?? 0,
    stepMs: (series?.step_seconds ?? 15) * 1_000,
    memory: series?.memory_bytes ?? [],
    cpu: series?.cpu ?? [],
    memoryLimit: body.memory_limit_bytes ?? limits?.memory_bytes ?? null,
    cpuLimit: body.cpu_limit ?? limits?.cpus ?? null,
    why: reason,
  };
}

/** The figure of a step; null where there is none. */
export function figureAt(figures: Figures, of: 'memory' | 'cpu', time: number): number | null {
  return figures[of][Math.floor((time - figures.startMs) / figures.stepMs)] ?? null;
}

/** Height of the line is the limit; where none is known, the most that is shown. */
export function figureLane(label: string, figures: Figures, of: 'memory' | 'cpu', frame: Frame): Lane {
  const height = of === 'memory' ? 34 : 22;
  const limit = of === 'memory' ? figures.memoryLimit : figures.cpuLimit;
  const { d, most } = lineOf(figures, of, frame);
  const scale = limit ?? most;
  const shapes: Shape[] = [
    path('tl-limit', `M${frame.left} 3H${frame.right}`),
    path('tl-base', `M${frame.left} ${height}H${frame.right}`),
  ];
  if (d.length > 0) shapes.push(path('tl-line', drawn(d, scale, height)));
  else shapes.push(text('tl-text faint', frame.left + 4, height - 6, whyNone(figures, frame)));
  const words = limit === null ? '' : of === 'memory' ? mebi(limit) : `${limit} CPU`;
  if (!frame.isNarrow && words !== '') shapes.push(text('tl-text faint', frame.right + 6, 7, words));
  return { label, height, shapes };
}

/** Why it is unknown now says nothing of a time in which the other is known. */
function whyNone(figures: Figures, frame: Frame): string {
  const isAny = (['memory', 'cpu'] as const).some((of) => lineOf(figures, of, frame).d.length > 0);
  return isAny || figures.why === '' ? 'none in this time' : figures.why;
}

type Dot = { x: number; value: number; isFirst: boolean; isAlone: boolean };

function lineOf(figures: Figures, of: 'memory' | 'cpu', frame: Frame): { d: Dot[]; most: number } {
  const { startMs, stepMs } = figures;
  const values = figures[of];
  const d: Dot[] = [];
  let most = 0;
  values.forEach((value, at) => {
    // A step is told by its middle.
    const time = startMs + (at + 0.5) * stepMs;
    if (value === null || !frame.has(time)) return;
    const isFirst = d.length === 0 || (values[at - 1] ?? null) === null;
    d.push({ x: frame.x(time), value, isFirst, isAlone: isFirst && (values[at + 1] ?? null) === null });
    most = Math.max(most, value);
  });
  return { d, most };
}

function drawn(dots: readonly Dot[], scale: number, height: number): string {
  return dots
    .map(({ x, value, isFirst, isAlone }) => {
      const part = scale === 0 ? 0 : Math.min(1, value / scale);
      // A run shorter than the distance of two points is a tick.
      return `${isFirst ? 'M' : 'L'}${round(x)} ${round(height - part * (height - 3))}${isAlone ? 'h1' : ''}`;
    })
    .join('');
}
