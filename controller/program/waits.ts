import type { ProgramMemory } from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';

export const BACK_OFF_MS_MAX = 60_000;
const BACK_OFF_MS_MIN = 1_000;

/** Milliseconds before the restart after crash number `count`: none, then 1 s doubling to 60 s. */
export function backOffMs(count: number): number {
  return count <= 1 ? 0 : Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** (count - 2));
}

/** Milliseconds until a persisted time; never more than a minute, so that a clock that jumped does no harm. */
export function waitMs(nextAt: string, nowMs: number): number {
  const ms = Date.parse(nextAt) - nowMs;
  return Number.isFinite(ms) ? Math.min(BACK_OFF_MS_MAX, Math.max(0, ms)) : 0;
}

/** Milliseconds until a start may be tried, after crashes or failed starts. */
export function startWaitMs({ starts: { crashes, failed } }: ProgramMemory, nowMs: number): number {
  return Math.max(...[crashes, failed].map((one) => (one === undefined ? 0 : waitMs(one.nextAt, nowMs))));
}

/**
 * The memory with no wait longer than any that is ever set: one that is was set before the clock jumped back, and
 * would have to be waited for again at each look.
 */
export function clampWaits(memory: ProgramMemory, nowMs: number): ProgramMemory {
  const { rollout, starts, failedImage } = memory;
  const isTooLong = (wait?: object & { nextAt?: string }): boolean =>
    Date.parse(wait?.nextAt ?? '') - nowMs > BACK_OFF_MS_MAX;
  if (![rollout, starts.crashes, starts.failed, failedImage].some(isTooLong)) return memory;
  const nextAt = timestamp(nowMs + BACK_OFF_MS_MAX);
  const clamp = <T extends object>(wait: T): T => (isTooLong(wait) ? { ...wait, nextAt } : wait);
  const crashes = starts.crashes && { crashes: clamp(starts.crashes) };
  const failed = starts.failed && { failed: clamp(starts.failed) };
  const image = failedImage && { failedImage: clamp(failedImage) };
  return { ...memory, rollout: clamp(rollout), starts: { ...crashes, ...failed }, ...image };
}
