import type { Snapshot } from '../../registry/contexts/snapshots.ts';
import { asideName } from '../../registry/contexts/tar.ts';
import type { BuildLogWriter } from '../../registry/records/build-logs.ts';
import { imageTag } from '../../schemas/build-id.ts';
import { AppError, messageOf } from '../../schemas/errors.ts';
import { type BuildSpec, LABELS } from '../../schemas/program.ts';
import type { Credentials } from '../engine/engine.ts';
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
  startLog: (buildId: string) => BuildLogWriter;
}

export interface BuildRequest {
  hash: string;
  buildId: string;
  build: BuildSpec;
  /** Asks for base images at their registry, though they are here. */
  pull: boolean;
}

/**
 * Builds from a snapshot of the sources and writes the log. Rejects as `Contexts.snapshot` and `Engine.build` do, and
 * `BuildFailed` where it takes too long; the end of the log goes into the message.
 */
export async function runBuild(
  deps: BuildDeps,
  request: BuildRequest,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<void> {
  const { engine, clock, log } = deps;
  const { hash, buildId, build } = request;
  const writer = deps.startLog(buildId);
  const tail = createTail();
  const limit = createTimeLimit(clock, signal);
  const cancelLimit = limit.allow(BUILD_MS_MAX, 'the build took longer than');
  const startedMs = clock.monotonic();
  const onLog = (text: string) => {
    writer.write(text);
    tail.add(text);
  };
  try {
    const { path, aside } = await deps.snapshot(build, hash);
    const image = await engine.build(
      {
        context: (range) => deps.openSnapshot(path, range),
        aside: Object.fromEntries(aside.map((name) => [name, asideName(name)])),
        dockerfile: build.dockerfile,
        args: build.args,
        tag: imageTag(buildId),
        // Without the name of a program whose container its base was made of.
        labels: { [LABELS.build]: hash, [LABELS.program]: '' },
        ...{ pull: request.pull, credentials },
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
    const isOver = signal.aborted || (reason instanceof AppError && reason.reason === 'ContextChanged');
    if (!isOver) log.warn({ build: buildId, error: messageOf(reason), tail: tail.text() }, 'build failed');
    throw withTail(reason, tail.text());
  } finally {
    cancelLimit();
    await writer.end();
  }
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
