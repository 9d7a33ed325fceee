import type { Clock } from '../../schemas/clock.ts';
import type { Credentials, Engine, Image } from '../engine/engine.ts';
import type { ControllerLog } from '../log.ts';
import type { ImageOutcome } from '../metrics/images.ts';
import type { Metrics } from '../metrics.ts';
import { createTimeLimit, stoppedLate } from './time-limit.ts';

/** Pulls at a time, beside the builds, which a registry that stalls must not keep waiting. */
export const PULLS_MAX = 2;

/** How long a pull may take in all, and how long it may go without any progress. */
const PULL_MS_MAX = 30 * 60_000;
const PULL_SILENCE_MS_MAX = 2 * 60_000;

export interface PullDeps {
  engine: Engine;
  clock: Clock;
  log: ControllerLog;
  /** Throws why an image may not be pulled; by default each may. */
  mayPull?: (reference: string) => void;
  metrics: { images: Pick<Metrics['images'], 'built' | 'pulled'> };
}

/** Rejects as `Engine.pull` and `mayPull` do, and `ImageNotFound` where it takes too long. */
export async function runPull(
  deps: PullDeps,
  reference: string,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Image> {
  const { engine, clock, log, metrics } = deps;
  const startedMs = clock.monotonic();
  let outcome: ImageOutcome = 'failed';
  const limit = createTimeLimit(clock, signal);
  const cancelLimit = limit.allow(PULL_MS_MAX, 'it took longer than');
  let cancelSilence = () => {};
  const onProgress = () => {
    cancelSilence();
    cancelSilence = limit.allow(PULL_SILENCE_MS_MAX, 'it made no progress for');
  };
  onProgress();
  try {
    deps.mayPull?.(reference);
    const image = await engine.pull(reference, onProgress, limit.signal, credentials);
    log.info({ reference, image: image.id }, 'image pulled');
    outcome = 'succeeded';
    return image;
  } catch (error) {
    if (signal.aborted) outcome = 'canceled';
    if (limit.late() === '') throw error;
    throw await stoppedLate(engine, 'ImageNotFound', `${reference} could not be pulled: ${limit.late()}`);
  } finally {
    cancelLimit();
    cancelSilence();
    metrics.images.pulled(outcome, clock.monotonic() - startedMs);
  }
}
