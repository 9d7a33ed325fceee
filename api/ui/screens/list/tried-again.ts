import type { Seen } from './seen.ts';

/** So many restarts in an hour are a row of them: one that crashed once is on its way again. */
const RESTARTS_MIN = 3;
/** What has run so long is not told from one that goes on running, in milliseconds. */
const UP_MS = 10_000;
const ON_THE_WAY = new Set(['Built', 'Starting', 'Running']);

interface Kept {
  since: number;
  /** `started_at` of the run that is watched, and when it was first seen, by the page's clock. */
  run: string;
  seenMs: number;
}

/**
 * What keeps exiting has no reason while it is tried once more. Nothing serves meanwhile, so it stays in its group,
 * which would else be left and come back to with each try. State and words are what the host says of it.
 */
export class TriedAgain {
  #kept = new Map<string, Kept>();
  #soonestMs = Number.POSITIVE_INFINITY;

  /** @returns the same, those that are tried again with the group and the place that they had */
  take(all: readonly Seen[], nowMs: number): readonly Seen[] {
    const before = this.#kept;
    this.#kept = new Map();
    this.#soonestMs = Number.POSITIVE_INFINITY;
    return all.map((one) => this.#look(one, before.get(one.name), nowMs));
  }

  /** When it has to be looked at again, though nothing changes; infinite for never. */
  get soonestMs(): number {
    return this.#soonestMs;
  }

  #look(one: Seen, kept: Kept | undefined, nowMs: number): Seen {
    const { name, p, kind, since } = one;
    if (kind === 'down' && p.reason === 'CrashLoopBackOff') {
      this.#kept.set(name, { since, run: p.started_at, seenMs: nowMs });
      return one;
    }
    const isRow = p.last_exit !== null && (p.restarts_last_hour ?? 0) >= RESTARTS_MIN;
    if (kept === undefined || kind !== 'busy' || !ON_THE_WAY.has(p.state) || p.reason !== '' || !isRow)
      return one;
    const isKnown = p.state !== 'Running' || p.started_at === kept.run;
    const now = isKnown ? kept : { since: kept.since, run: p.started_at, seenMs: nowMs };
    if (p.state === 'Running') {
      if (nowMs - now.seenMs >= UP_MS) return one;
      this.#soonestMs = Math.min(this.#soonestMs, now.seenMs + UP_MS);
    }
    this.#kept.set(name, now);
    return { ...one, kind: 'down', since: kept.since };
  }
}
