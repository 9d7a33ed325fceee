import type { Snapshot } from '../../registry/contexts/snapshots.ts';
import { asideName } from '../../registry/contexts/tar.ts';
import type { BuildSteps } from '../../registry/records/build-history.ts';
import type { BuildLogWriter } from '../../registry/records/build-logs.ts';
import { imageTag } from '../../schemas/build-id.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { type BuildSpec, LABELS, timestamp } from '../../schemas/program.ts';
import type { Credentials } from '../engine/engine.ts';
import type { ImageOutcome } from '../metrics/images.ts';
import type { PullDeps } from './run-pull.ts';
import { createTimeLimit, stoppedLate } from './time-limit.ts';

/** Builds at a time (design: numbers). */
export const BUILDS_MAX = 2;

/** How long a build may take (design: numbers). */
const BUILD_MS_MAX = 5 * 60_000;
/** Lines of the log that go into the error. */
const TAIL_LINES = 20;

export interface BuildDeps extends PullDeps {
  /** See `Contexts.snapshot`. */
  snapshot: (build: BuildSpec, hash: string) => Promise<Snapshot>;
  openSnapshot: (path: string, range?: { start: number; end: number }) => NodeJS.ReadableStream;
  /** Rejects with why a build may not begin; by default each may. */
  mayBuild?: (snapshot: Snapshot, request: BuildRequest, userId: string) => Promise<void>;
  /** Begins the record of its steps; before its log, which tells that the build has begun. */
  startSteps: (buildId: string, started: string) => BuildSteps;
  startLog: (buildId: string) => BuildLogWriter;
}

export interface BuildRequest {
  hash: string;
  buildId: string;
  build: BuildSpec;
  /** Asks for base images at their registry, though they are here. */
  pull: boolean;
}

/** A build, and the programs that wait for it at present. */
export interface BuildTask extends BuildRequest {
  /** Whose program asked for it first. */
  userId: string;
  waiting: () => string[];
}

/**
 * Builds from a snapshot of the sources and writes the log. Rejects as `Contexts.snapshot` and `Engine.build` do, and
 * `BuildFailed` where it takes too long; the end of the log goes into the message.
 */
export async function runBuild(
  deps: BuildDeps,
  request: BuildTask,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<void> {
  const { engine, clock, log } = deps;
  const { hash, buildId, build } = request;
  const steps = deps.startSteps(buildId, timestamp(clock.now()));
  const atStart = request.waiting();
  const writer = deps.startLog(buildId);
  const tail = createTail();
  const limit = createTimeLimit(clock, signal);
  const cancelLimit = limit.allow(BUILD_MS_MAX, 'the build took longer than');
  const startedMs = clock.monotonic();
  const onLog = (text: string) => {
    writer.write(text);
    tail.add(text);
  };
  let end: BuildEnd = { outcome: 'Succeeded', error: '', isOver: false };
  try {
    const snapshot = await deps.snapshot(build, hash);
    await deps.mayBuild?.(snapshot, request, request.userId);
    const { path, aside } = snapshot;
    const image = await engine.build(
      {
        context: (range) => deps.openSnapshot(path, range),
        aside: Object.fromEntries(aside.map((name) => [name, asideName(name)])),
        dockerfile: build.dockerfile,
        args: build.args,
        tag: imageTag(buildId),
        // Without the name of a program whose container its base was made of.
        labels: { [LABELS.build]: hash, [LABELS.program]: '' },
        ...{ pull: request.pull, credentials, onStep: steps.take },
      },
      onLog,
      limit.signal,
    );
    const seconds = ((clock.monotonic() - startedMs) / 1000).toFixed(1);
    writer.write(`built ${image.id} in ${seconds} s\n`);
    log.info({ build: buildId, image: image.id, seconds }, 'build succeeded');
  } catch (error) {
    const late = limit.late();
    const reason = late === '' ? error : await stoppedLate(engine, 'BuildFailed', late);
    writer.write(`\n${signal.aborted ? 'the build was cancelled' : `failed: ${messageOf(reason)}`}\n`);
    end = endOf(reason, signal);
    if (!end.isOver)
      log.warn({ build: buildId, error: messageOf(reason), tail: tail.text() }, 'build failed');
    throw withTail(reason, tail.text());
  } finally {
    cancelLimit();
    const { outcome, error, isOver } = end;
    // One that begins anew with what the sources are by now is none to remember.
    const names = isOver && outcome === 'Failed' ? [] : [...new Set([...atStart, ...request.waiting()])];
    deps.metrics.images.built(counted(end), clock.monotonic() - startedMs);
    await steps.end({ outcome, error, ended: timestamp(clock.now()) }, names);
    await writer.end();
  }
}

interface BuildEnd {
  outcome: 'Succeeded' | 'Failed' | 'Canceled';
  error: string;
  /** Nothing that anybody has to know of: it was stopped, or its sources have changed meanwhile. */
  isOver: boolean;
}

function counted({ outcome, isOver }: BuildEnd): ImageOutcome {
  if (outcome === 'Failed') return isOver ? 'superseded' : 'failed';
  return outcome === 'Succeeded' ? 'succeeded' : 'canceled';
}

function endOf(reason: unknown, signal: AbortSignal): BuildEnd {
  if (signal.aborted) return { outcome: 'Canceled', error: '', isOver: true };
  const isOver = reason instanceof AppError && reason.reason === 'ContextChanged';
  return { outcome: 'Failed', error: messageOf(reason), isOver };
}

function withTail(error: unknown, tail: string): unknown {
  if (!(error instanceof AppError) || tail === '' || error.reason === 'BuildAborted') return error;
  return new AppError(error.reason, `${error.message}\n${tail}`, { cause: error, hint: error.hint });
}

/** The last lines of what was added. */
function createTail(): { add(text: string): void; text(): string } {
  let kept = '';
  return {
    add(text) {
      kept = `${kept}${text}`
        .split('\n')
        .slice(-TAIL_LINES - 1)
        .join('\n');
    },
    text: () => kept.trim(),
  };
}
