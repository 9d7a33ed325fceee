import type { BuildLogWriter } from '../../registry/records/build-logs.ts';
import { imageTag } from '../../schemas/build-id.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError, messageOf, type Reason, withHint } from '../../schemas/errors.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { LABELS } from '../../schemas/program.ts';
import type { Engine } from '../engine/engine.ts';
import { createSlots, type Slots } from '../engine/slots.ts';
import type { ControllerLog } from '../log.ts';

/** Builds at a time, and how long one may take (design: numbers). */
const BUILDS_MAX = 2;
const BUILD_MS_MAX = 5 * 60_000;
/** Pulls at a time, beside the builds, which a registry that stalls must not keep waiting. */
const PULLS_MAX = 2;
/** How long a pull may take in all, and how long it may go without any progress. */
const PULL_MS_MAX = 30 * 60_000;
const PULL_SILENCE_MS_MAX = 2 * 60_000;
/** Lines of the log that go into the error. */
const TAIL_LINES = 20;

export interface ImageFailure {
  /** Build hash or reference. */
  key: string;
  reason: string;
  message: string;
  /** Whether another try may help. */
  again: boolean;
}

/** Builds and pulls that run in the background, one an image however many programs wait for it. */
export interface ImageTasks {
  /** Whether one runs, or waits for its turn, for this program; for that image only, where one is named. */
  pending(name: string, key?: string): boolean;
  /** Build hashes and references of all that runs or waits for its turn. */
  keys(): string[];
  build(name: string, request: { hash: string; buildId: string; build: BuildSpec }): void;
  pull(name: string, reference: string): void;
  /** The program waits no more; what nobody waits for is stopped. `keep` is the key it goes on waiting for. */
  leave(name: string, keep?: string): void;
  /** The failure of the newest task of a program, once. */
  takeFailure(name: string): ImageFailure | undefined;
  /** Stops everything; resolves when it has ended. */
  close(): Promise<void>;
}

export interface ImageTaskDeps {
  engine: Engine;
  clock: Clock;
  log: ControllerLog;
  /** See `Contexts.snapshot`. */
  snapshot: (build: BuildSpec, hash: string) => Promise<string>;
  openSnapshot: (path: string) => NodeJS.ReadableStream;
  startLog: (buildId: string) => BuildLogWriter;
  /** Called with every program that waited when a task ended. */
  onDone: (name: string) => void;
}

interface Task {
  waiters: Set<string>;
  abort: AbortController;
  done: Promise<void>;
}

export function createImageTasks(deps: ImageTaskDeps): ImageTasks {
  const { engine, clock, log } = deps;
  const tasks = new Map<string, Task>();
  const failures = new Map<string, ImageFailure>();
  const builds = createSlots(BUILDS_MAX, 0);
  const pulls = createSlots(PULLS_MAX, 0);

  function join(name: string, key: string, slots: Slots, run: (signal: AbortSignal) => Promise<void>): void {
    failures.delete(name);
    const running = tasks.get(key);
    if (running !== undefined && !running.abort.signal.aborted) {
      running.waiters.add(name);
      return;
    }
    const abort = new AbortController();
    const task: Task = { waiters: new Set([name]), abort, done: Promise.resolve() };
    tasks.set(key, task);
    // One that is being stopped takes a moment to end, and writes the same log until then.
    const before = running?.done ?? Promise.resolve();
    task.done = before
      .then(() =>
        slots.run('calm', async () => {
          if (!abort.signal.aborted) await run(abort.signal);
        }),
      )
      .catch((error: unknown) => {
        for (const waiter of task.waiters) failures.set(waiter, failureOf(key, error));
      })
      .finally(() => {
        if (tasks.get(key) === task) tasks.delete(key);
        for (const waiter of task.waiters) deps.onDone(waiter);
      });
  }

  async function runBuild(
    hash: string,
    buildId: string,
    build: BuildSpec,
    signal: AbortSignal,
  ): Promise<void> {
    const writer = deps.startLog(buildId);
    const tail = createTail();
    const limit = new AbortController();
    const cancelLimit = clock.after(BUILD_MS_MAX, () => limit.abort());
    const startedMs = clock.monotonic();
    try {
      const path = await deps.snapshot(build, hash);
      const image = await engine.build(
        {
          context: () => deps.openSnapshot(path),
          dockerfile: build.dockerfile,
          args: build.args,
          tag: imageTag(buildId),
          labels: { [LABELS.build]: hash },
        },
        (text) => {
          writer.write(text);
          tail.add(text);
        },
        AbortSignal.any([signal, limit.signal]),
      );
      const seconds = ((clock.monotonic() - startedMs) / 1000).toFixed(1);
      writer.write(`built ${image.id} in ${seconds} s\n`);
      log.info({ build: buildId, image: image.id, seconds }, 'build succeeded');
    } catch (error) {
      const late = `the build took longer than ${BUILD_MS_MAX / 60_000} minutes`;
      const reason = limit.signal.aborted ? await stopped('BuildFailed', late) : error;
      writer.write(`\n${signal.aborted ? 'the build was cancelled' : `failed: ${messageOf(reason)}`}\n`);
      const isOver = signal.aborted || (reason instanceof AppError && reason.reason === 'ContextChanged');
      if (!isOver) log.warn({ build: buildId, error: messageOf(reason), tail: tail.text() }, 'build failed');
      throw withTail(reason, tail.text());
    } finally {
      cancelLimit();
      await writer.end();
    }
  }

  /** What it means that the time was up. An engine that is away takes as long, and that is nobody else's fault. */
  function stopped(reason: Reason, late: string): Promise<unknown> {
    return engine.ping().then(
      () => new AppError(reason, `${late} and was stopped`),
      (error: unknown) => error,
    );
  }

  async function runPull(reference: string, signal: AbortSignal): Promise<void> {
    const limit = new AbortController();
    let late = '';
    const stopAfter = (ms: number, what: string) =>
      clock.after(ms, () => {
        late = `${what} ${ms / 60_000} minutes`;
        limit.abort();
      });
    const cancelLimit = stopAfter(PULL_MS_MAX, 'it took longer than');
    let cancelSilence = () => {};
    const onProgress = () => {
      cancelSilence();
      cancelSilence = stopAfter(PULL_SILENCE_MS_MAX, 'it made no progress for');
    };
    onProgress();
    try {
      const image = await engine.pull(reference, onProgress, AbortSignal.any([signal, limit.signal]));
      log.info({ reference, image: image.id }, 'image pulled');
    } catch (error) {
      if (late === '') throw error;
      throw await stopped('ImageNotFound', `${reference} could not be pulled: ${late}`);
    } finally {
      cancelLimit();
      cancelSilence();
    }
  }

  return {
    pending: (name, key) =>
      [...tasks].some(([one, { waiters }]) => (key === undefined || one === key) && waiters.has(name)),
    keys: () => [...tasks.keys()],
    build: (name, { hash, buildId, build }) =>
      join(name, hash, builds, (signal) => runBuild(hash, buildId, build, signal)),
    pull: (name, reference) => join(name, reference, pulls, (signal) => runPull(reference, signal)),
    leave(name, keep) {
      if (keep === undefined) failures.delete(name);
      for (const [key, task] of tasks) {
        if (key === keep || !task.waiters.delete(name)) continue;
        if (task.waiters.size === 0) task.abort.abort();
      }
    },
    takeFailure(name) {
      const failure = failures.get(name);
      failures.delete(name);
      return failure;
    },
    async close() {
      const running = [...tasks.values()];
      for (const { abort } of running) abort.abort();
      await Promise.all(running.map(({ done }) => done));
    },
  };
}

function failureOf(key: string, error: unknown): ImageFailure {
  if (!(error instanceof AppError)) {
    return { key, reason: 'InternalError', message: messageOf(error), again: false };
  }
  const reason = error.reason === 'BuildNetworkFailed' ? 'BuildFailed' : error.reason;
  return { key, reason, message: withHint(error), again: error.retry === 'backoff' };
}

function withTail(error: unknown, tail: string): unknown {
  if (!(error instanceof AppError) || tail === '' || error.reason === 'BuildAborted') return error;
  const options = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return new AppError(error.reason, `${error.message}\n${tail}`, options);
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
