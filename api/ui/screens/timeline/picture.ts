import { clock } from '../../words/span.ts';
import { type Figures, figureLane } from './figures.ts';
import { type Frame, ticksOf } from './frame.ts';
import { changesLane, exitLane, marksOf, probeLane, revisionLane, stateLane } from './lanes.ts';
import { lowered, path, round, type Shape, text } from './shape.ts';
import type { Story } from './story.ts';

export interface Picture {
  height: number;
  /** Where the lanes end. */
  axisY: number;
  /** In the order in which they are drawn. */
  shapes: readonly Shape[];
}

const GAP = 6;
const DAY_MS = 86_400_000;

/** All lanes above each other, causes above effects, and a rule through them all where something was changed. */
export function pictureOf(story: Story, figures: Figures, frame: Frame, isProbed: boolean): Picture {
  const marks = marksOf(story.changes, frame);
  const lanes = [
    changesLane(marks, frame),
    revisionLane(story, frame),
    stateLane(story, frame),
    probeLane(story, frame, isProbed),
    exitLane(story.exits, story.knownFrom, frame),
    figureLane('Memory', figures, 'memory', frame),
    figureLane('CPU', figures, 'cpu', frame),
  ];
  const shapes: Shape[] = [];
  let y = 4;
  for (const { label, height, shapes: own } of lanes) {
    shapes.push(text('tl-label', 0, y + Math.min(height, 18) / 2 + 4, label));
    for (const shape of own) shapes.push(lowered(shape, y));
    y += height + GAP;
  }
  const axisY = y + 2;
  const rules = marks.map(({ x }) => path('tl-rule', `M${round(x)} 19V${axisY}`));
  return { height: axisY + 22, axisY, shapes: [...axis(frame, axisY), ...shapes, ...rules] };
}

function axis(frame: Frame, axisY: number): Shape[] {
  const { stepMs, times } = ticksOf(frame);
  const shapes: Shape[] = [path('tl-axis', `M${frame.left} ${axisY}H${frame.right}`)];
  for (const time of times) {
    const x = frame.x(time);
    // `now` stands there.
    if (frame.right - x < 48) continue;
    shapes.push(path('tl-tick', `M${round(x)} 4V${axisY + 4}`));
    shapes.push(text('tl-text faint', x, axisY + 16, tickWords(time, stepMs), 'middle'));
  }
  shapes.push(text('tl-text', frame.right, axisY + 16, 'now', 'end'));
  return shapes;
}

function tickWords(time: number, stepMs: number): string {
  if (stepMs < DAY_MS) return clock(time).slice(0, 5);
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(time);
}
