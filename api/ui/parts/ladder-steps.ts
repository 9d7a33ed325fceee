import { exactSpan } from '../words/span.ts';

export const LADDER = ['Created', 'Building', 'Built', 'Starting', 'Running', 'Ready'] as const;
export type LadderState = (typeof LADDER)[number];

/** When each state was reached, epoch milliseconds. */
export type Moments = Partial<Record<LadderState, number>>;

export interface LadderStep {
  state: LadderState;
  kind: 'past' | 'now' | 'failed' | 'ahead';
  /** How long it stood there, in words; of Ready how long all took. `""` where there is nothing to say. */
  took: string;
}

/** Pure. @param failed where it stopped @param nowMs for the state that lasts; undefined: it is not counted on */
export function ladderSteps(
  moments: Moments,
  failed: LadderState | undefined,
  nowMs: number | undefined,
): LadderStep[] {
  const reached = LADDER.findLastIndex((state) => moments[state] !== undefined);
  const at = failed === undefined ? reached : LADDER.indexOf(failed);
  return LADDER.map((state, index): LadderStep => {
    if (state === failed) return { state, kind: 'failed', took: 'failed' };
    if (index > at) return { state, kind: 'ahead', took: '' };
    const began = moments[state];
    // What has been made before is not made again.
    if (began === undefined) return { state, kind: 'past', took: 'skipped' };
    if (state === 'Ready')
      return { state, kind: 'past', took: `after ${exactSpan(began - firstOf(moments))}` };
    const next = LADDER.slice(index + 1).flatMap((later) => moments[later] ?? [])[0];
    if (index < at) return { state, kind: 'past', took: next === undefined ? '' : exactSpan(next - began) };
    return { state, kind: 'now', took: nowMs === undefined ? '' : exactSpan(nowMs - began) };
  });
}

export function firstOf(moments: Moments): number {
  return Math.min(...Object.values(moments));
}
