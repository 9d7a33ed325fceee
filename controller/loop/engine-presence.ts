import type { Clock } from '../../schemas/clock.ts';
import { withHint } from '../../schemas/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { ControllerLog } from '../log.ts';
import type { Timers } from './timers.ts';

/** Waits between tries of an engine that does not answer. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5_000;

/** Absences that are remembered, and how long before it is noticed that one may have begun. */
const ABSENCES_KEPT = 20;
const NOTICED_MS = 2_000;

/** Whether the engine is there. One that is away is asked until it is back. */
export interface EnginePresence {
  /** Why it can not be asked, or `""`; and since when, epoch milliseconds, 0 while it can. */
  away(): { trouble: string; awaySinceMs: number };
  /** It answers; whether it can be worked with shows by a list. */
  up(): Promise<void>;
  /** A call failed over its absence. Told once for each absence, however many calls fail meanwhile. */
  down(error: unknown): void;
  /** A call failed, perhaps over its absence: asks soon. */
  suspect(): void;
  /** Whether it was away at a time, or just going, or has started since. @param atMs epoch milliseconds */
  wasAway(atMs: number): boolean;
  close(): void;
}

export interface EnginePresenceDeps {
  engine: Engine;
  clock: Clock;
  log: ControllerLog;
  timers: Timers;
  /** Whether it gives its list of containers. */
  list: () => Promise<boolean>;
  /** It came or went. */
  onTurn: () => void;
}

export function createEnginePresence(deps: EnginePresenceDeps): EnginePresence {
  const { engine, clock, log, timers } = deps;
  let trouble = 'it was not asked yet';
  const askedFromMs = clock.now();
  let retryMs = RETRY_MS_MIN;
  let wasTold = false;
  /** When it went and came back; epoch milliseconds, newest last. */
  const absences: { fromMs: number; toMs: number }[] = [];
  let checking = false;
  let closed = false;
  /** See `EngineInfo`. */
  let startedAtMs = 0;

  async function up(): Promise<void> {
    if (closed || !(await deps.list()) || closed) return;
    // One that does not tell leaves what this host has seen itself. What a start of hours ago took along is told too:
    // both host and engine may have been down, as where the one is started by the other.
    startedAtMs = await engine.info().then(
      (info) => info.startedAtMs,
      () => startedAtMs,
    );
    if (closed) return;
    if (trouble !== '') log.info({}, 'the engine answers');
    trouble = '';
    retryMs = RETRY_MS_MIN;
    const last = absences.at(-1);
    if (wasTold && last !== undefined) last.toMs = clock.now();
    wasTold = false;
    deps.onTurn();
  }

  function down(error: unknown): void {
    if (closed) return;
    if (!wasTold) {
      wasTold = true;
      absences.push({ fromMs: clock.now(), toMs: Number.POSITIVE_INFINITY });
      if (absences.length > ABSENCES_KEPT) absences.shift();
      trouble = withHint(error);
      log.warn({ reason: 'EngineUnavailable', error: trouble }, 'the engine does not answer; trying again');
      deps.onTurn();
    }
    suspect();
  }

  function suspect(): void {
    if (checking || closed) return;
    checking = true;
    timers.after(retryMs, async () => {
      // Grows until a list has come: an engine that says it is there, and no more, is not asked without end.
      retryMs = Math.min(RETRY_MS_MAX, retryMs * 2);
      const failure = await engine.ping().catch((error: unknown) => ({ error }));
      checking = false;
      if (failure !== undefined) down(failure.error);
      else if (trouble !== '') await up();
      else retryMs = RETRY_MS_MIN;
    });
  }

  return {
    ...{ up, down, suspect },
    away: () => ({ trouble, awaySinceMs: trouble === '' ? 0 : (absences.at(-1)?.fromMs ?? askedFromMs) }),
    wasAway: (atMs) =>
      atMs < startedAtMs || absences.some(({ fromMs, toMs }) => atMs >= fromMs - NOTICED_MS && atMs <= toMs),
    close() {
      closed = true;
    },
  };
}
