import type { ApiDeps } from '../../api/deps.ts';
import type { LogPageRequest } from '../../api/program-answers.ts';
import {
  type LogCursor,
  type LogMessage,
  type LogPage,
  type LogRun,
  parseCursor,
} from '../../schemas/log-line.ts';
import {
  AFTER_IS_GONE,
  beginningOf,
  createLogPage,
  type LogDataDeps,
  type LogScene,
  lineIn,
  lookAtRuns,
  lostContainer,
  placeOf,
} from './log-data.ts';
import { followRange } from './log-window.ts';
import { createChanges, goesOn, runOf } from './program-run.ts';

const END = 'the program is stopped, has finished or is gone: nothing more comes';
/** Containers of which it is remembered how far they were read: one that was stopped for another may come back. */
const PLACES_MAX = 10;
const LEFT_OFF = 'more lines were printed since then than are sent; before=<id of the first one> gives those';

/** A program's output as data, as it comes. Rejects as `Engine.logs` does. */
export function createFollowLines(deps: LogDataDeps): ApiDeps['followLines'] {
  const page = createLogPage(deps);
  return async (name, request) => {
    // Asked for here, so that an engine that is away is an answer and no broken stream.
    const first = request.after === undefined ? await page(name, request) : undefined;
    const scene = await lookAtRuns(deps, name);
    return follow(deps, name, request, { first, scene });
  };
}

interface Start {
  /** What is sent before it is followed; undefined where it goes on behind `request.after`. */
  first: LogPage | undefined;
  scene: LogScene;
}

async function* follow(
  deps: LogDataDeps,
  name: string,
  { after, sinceNanos, signal }: LogPageRequest,
  start: Start,
): AsyncGenerator<LogMessage> {
  const changes = createChanges(deps, name, signal);
  const news = createNews();
  let { scene } = start;
  let cursor = start.first === undefined ? after : parseCursor(start.first.after ?? '');
  const places = createPlaces();
  try {
    if (start.first !== undefined) {
      const { runs, more, lines } = start.first;
      yield* news(runs);
      if (more && sinceNanos > 0n) yield gap(LEFT_OFF);
      for (const data of lines) yield { event: 'line', data };
      // Not held for as long as somebody follows.
      start.first = undefined;
    }
    for (;;) {
      let changed = changes.next();
      yield* news(scene.runs);
      const lost = lostContainer(cursor, scene);
      // What was read to its end here is whole.
      if (lost !== '' && !places.has(cursor)) yield gap(lost);
      if (lost !== '') cursor = places.of(scene);
      if (scene.container !== undefined) cursor = yield* linesOf(deps, scene, cursor, signal);
      places.note(cursor);
      const run = runOf(scene.container);
      for (;;) {
        if (signal.aborted) return;
        scene = await lookAtRuns(deps, name);
        yield* news(scene.runs);
        if (!goesOn(deps, name)) {
          yield { event: 'end', data: { message: END } };
          return;
        }
        const next = runOf(scene.container);
        // The same run again where the engine let go of us though it goes on.
        if (next !== undefined && (next.key !== run?.key || next.isUp)) break;
        await changed;
        changed = changes.next();
      }
    }
  } finally {
    changes.close();
  }
}

/**
 * What a container prints behind the cursor, until its run ends.
 * @returns the cursor behind the last of it
 */
async function* linesOf(
  { engine }: LogDataDeps,
  scene: LogScene,
  cursor: LogCursor | undefined,
  signal: AbortSignal,
): AsyncGenerator<LogMessage, LogCursor | undefined> {
  const id = scene.containerId;
  const run = runOf(scene.container);
  const isOver = async () => {
    const now = runOf(await engine.inspectContainer(id));
    return now === undefined || !now.isUp || now.key !== run?.key;
  };
  let last = cursor;
  for await (const line of followRange(engine, { id, after: cursor?.line, signal, isOver })) {
    if (line === 'gap') {
      yield gap(AFTER_IS_GONE);
      continue;
    }
    last = placeOf(scene, line);
    yield { event: 'line', data: lineIn(scene, line) };
  }
  return last;
}

function gap(message: string): LogMessage {
  return { event: 'gap', data: { message } };
}

/** How far each container was read. */
function createPlaces() {
  const places = new Map<string, LogCursor>();
  return {
    has: (cursor: LogCursor | undefined): boolean => places.has(cursor?.container ?? ''),
    of: (scene: LogScene): LogCursor => places.get(beginningOf(scene).container) ?? beginningOf(scene),
    note(cursor: LogCursor | undefined): void {
      if (cursor === undefined) return;
      places.delete(cursor.container);
      places.set(cursor.container, cursor);
      const [oldest = ''] = places.keys();
      if (places.size > PLACES_MAX) places.delete(oldest);
    },
  };
}

/** Gives of each run what was not told of it yet; those that are known no more do not come again. */
function createNews(): (runs: readonly LogRun[]) => LogMessage[] {
  let told = new Map<string, string>();
  return (runs) => {
    const now = new Map(runs.map((run) => [run.id, JSON.stringify(run)]));
    const news = runs.filter(({ id }) => told.get(id) !== now.get(id));
    told = now;
    return news.map((data) => ({ event: 'run' as const, data }));
  };
}
