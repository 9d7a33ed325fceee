import type { ApiDeps } from '../../api/deps.ts';
import type { LogPageRequest } from '../../api/program-answers.ts';
import { type Container, isUp, short } from '../../schemas/container.ts';
import {
  formatCursor,
  type LogCursor,
  type LogLine,
  type LogPage,
  type LogRun,
} from '../../schemas/log-line.ts';
import type { WholeLine } from './join-lines.ts';
import { createRunAt, type EndedRuns, type RunAt, runsOf } from './log-runs.ts';
import { type Found, type LogRange, readRange } from './log-window.ts';
import type { ProgramLogsDeps } from './program-run.ts';

/** In a cursor, before there was a container. */
const NO_CONTAINER = 'none';
const NOTHING_YET = 'the program has no container, so that nothing is there that it printed';
export const AFTER_IS_GONE = 'the engine has thrown away, as too old, what came next';

export interface LogDataDeps extends ProgramLogsDeps {
  ended: EndedRuns;
}

/** What is known of a program's output at one time, beside its lines. */
export interface LogScene {
  /** `""` where there is none. */
  containerId: string;
  /** Undefined where the engine has none of that id. */
  container: Container | undefined;
  runs: LogRun[];
  runAt: RunAt;
}

/** Rejects `EngineUnavailable`. */
export async function lookAtRuns(deps: LogDataDeps, name: string): Promise<LogScene> {
  const containerId = deps.statuses.get(name)?.containerId ?? '';
  const container = containerId === '' ? undefined : await deps.engine.inspectContainer(containerId);
  // Read behind the wait, so that it is not older than what the engine says.
  const runs = runsOf(container, deps.ended.of(name), deps.statuses.get(name)?.lastExit ?? null);
  return { containerId, container, runs, runAt: createRunAt(runs, containerId) };
}

/** A page of a program's output as data. Rejects as `Engine.logs` does. */
export function createLogPage(deps: LogDataDeps): ApiDeps['logPage'] {
  return async (name, request) => {
    const scene = await lookAtRuns(deps, name);
    const { containerId, container, runs } = scene;
    const lost = lostContainer(request.before ?? request.after, scene);
    // All that this container has comes after what another one printed, and none of it before.
    if (container === undefined || (request.before !== undefined && lost !== '')) {
      const note = lost || (containerId === '' ? NOTHING_YET : goneNote(short(containerId)));
      const after = request.before === undefined ? formatCursor(request.after ?? beginningOf(scene)) : null;
      const gap = request.before === undefined && lost !== '';
      return { containerId, lines: [], runs, more: false, gap, before: null, after, note };
    }
    const { before, sinceNanos, signal } = request;
    const after = lost === '' ? request.after?.line : undefined;
    const range = { sinceNanos, signal, isOver: !isUp(container) };
    // Asked for first: what is printed meanwhile is not passed over where nothing is found from that time on.
    const end = sinceNanos > 0n ? await endOf(deps, scene, range) : undefined;
    const lines = request.tail;
    const found = await readRange(deps.engine, containerId, { ...range, lines, before: before?.line, after });
    return { containerId, runs, ...pageOf(found, request, scene, { lost, end }) };
  };
}

/** The newest line that there is. */
async function endOf(
  { engine }: LogDataDeps,
  { containerId }: LogScene,
  range: Pick<LogRange, 'signal' | 'isOver'>,
): Promise<WholeLine | undefined> {
  return (await readRange(engine, containerId, { ...range, lines: 0, sinceNanos: 0n })).last;
}

/** @param other what `lostContainer` says of the cursor, and the newest line where `found` may not have it */
function pageOf(
  found: Found,
  request: LogPageRequest,
  scene: LogScene,
  other: { lost: string; end: WholeLine | undefined },
): Omit<LogPage, 'containerId' | 'runs'> {
  const { lost, end } = other;
  const { before, after, sinceNanos } = request;
  const isThere = before?.line === undefined ? before === undefined : found.hasBefore;
  const lines = isThere ? found.lines.map((line) => lineIn(scene, line)) : [];
  const more = isThere && found.isCut;
  const last = found.last ?? end;
  const goesOn = last === undefined ? (after ?? beginningOf(scene)) : placeOf(scene, last);
  const gap =
    lost !== '' || (after?.line !== undefined && !found.hasAfter && found.isWhole && sinceNanos === 0n);
  return {
    ...{ lines, more, gap },
    before: (more && lines[0]?.id) || null,
    after: before === undefined ? formatCursor(goesOn) : (lines.at(-1)?.id ?? null),
    note: noteOf(request, scene, { isThere, more, gap, lost }),
  };
}

interface Lack {
  isThere: boolean;
  more: boolean;
  gap: boolean;
  lost: string;
}

function noteOf(request: LogPageRequest, scene: LogScene, { isThere, more, gap, lost }: Lack): string {
  const { before, after, sinceNanos } = request;
  if (lost !== '') return lost;
  if (gap) return AFTER_IS_GONE;
  if (more || after !== undefined || sinceNanos > 0n) return '';
  const container = beginningOf(scene).container;
  if (!isThere && before?.line !== undefined)
    return `the engine has thrown away what container ${container} printed before that line, and the line`;
  return `nothing older is there of container ${container}; what containers before it printed went with them`;
}

/** What there is to say where that cursor is of a container that is gone; `""` where it is of this one, or of none. */
export function lostContainer(cursor: LogCursor | undefined, scene: LogScene): string {
  if (cursor === undefined || cursor.container === NO_CONTAINER) return '';
  return cursor.container === beginningOf(scene).container ? '' : goneNote(cursor.container);
}

function goneNote(container: string): string {
  return `container ${container} is none of the program's, or not any more: what it printed is not to be had`;
}

/** Before the first line of its container. */
export function beginningOf({ containerId }: LogScene): LogCursor {
  return { container: containerId === '' ? NO_CONTAINER : short(containerId) };
}

export function placeOf(scene: LogScene, { time, stream, index }: WholeLine): LogCursor {
  return { ...beginningOf(scene), line: { time, stream, index } };
}

export function lineIn(scene: LogScene, line: WholeLine): LogLine {
  const { time, stream, text, cutBytes } = line;
  const id = formatCursor(placeOf(scene, line));
  return { id, time, stream: stream ?? null, run: scene.runAt(time), text, cut_bytes: cutBytes };
}
