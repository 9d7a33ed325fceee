import {
  type Build,
  type BuildRecord,
  type BuildStep,
  dockerfileLine,
  emptyBuild,
  tryIdOf,
} from './build-step.ts';
import { isRecord } from './is-record.ts';

/**
 * A build as its records tell of it. Pure. A host that was killed, or a disk that was full, leaves half a line at the
 * end or a file without an end; whatever can be read is told.
 * @param isOpen it goes on: without an end it is running, and not interrupted
 */
export function buildOf(buildId: string, text: string, isOpen: boolean): Build {
  const build = emptyBuild(buildId);
  const lines = text.split('\n');
  // Of one that is being written, the last line may be on its way.
  const half = lines.pop() ?? '';
  build.is_damaged = half !== '' && !isOpen;
  for (const line of lines) {
    const record = recordIn(line);
    if (record === undefined) build.is_damaged = true;
    else takeRecord(build, record);
  }
  if (build.outcome === null && build.started !== null) build.outcome = isOpen ? 'Running' : 'Interrupted';
  return build;
}

/** Undefined for what is none. */
export function recordIn(line: string): BuildRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) && isWhole(value) ? (value as unknown as BuildRecord) : undefined;
  } catch {
    return undefined;
  }
}

const text = (value: unknown): boolean => typeof value === 'string';
const time = (value: unknown): boolean => text(value) && !Number.isNaN(Date.parse(value as string));
const timeOrNull = (value: unknown): boolean => value === null || time(value);
const count = (value: unknown): boolean => Number.isInteger(value);
const flagOrNull = (value: unknown): boolean => value === null || typeof value === 'boolean';
const outcome = (value: unknown): boolean =>
  value === 'Succeeded' || value === 'Failed' || value === 'Canceled';

/** What each kind has to have. */
const FIELDS: { [kind in BuildRecord['kind']]: Record<string, (value: unknown) => boolean> } = {
  build: { build_id: text, started: time },
  step: { number: count, name: text, started: timeOrNull },
  output: { number: count, text },
  end: { number: count, completed: timeOrNull, cached: flagOrNull, error: text },
  full: {},
  done: { ended: time, outcome, error: text },
};

function isWhole(value: Record<string, unknown>): boolean {
  const { kind } = value;
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return false;
  const fields = FIELDS[kind as BuildRecord['kind']];
  return Object.entries(fields).every(([field, isRight]) => isRight(value[field]));
}

/**
 * Puts a build together, record by record. One that begins with `build` again is another try: take that up with a new
 * `emptyBuild`.
 */
export function takeRecord(build: Build, record: BuildRecord): void {
  switch (record.kind) {
    case 'build':
      build.build_id = record.build_id;
      build.started = record.started;
      build.id = tryIdOf(record.build_id, record.started);
      return;
    case 'step':
      Object.assign(stepOf(build, record.number), { name: record.name, started: record.started });
      return;
    case 'output':
      stepOf(build, record.number).output.push(record.text);
      return;
    case 'end': {
      const { number, completed, cached, error } = record;
      Object.assign(stepOf(build, number), { completed, cached, error });
      return;
    }
    case 'full':
      build.is_cut = true;
      return;
    case 'done':
      build.ended = record.ended;
      build.outcome = record.outcome;
      build.error = record.error;
      build.dockerfile_line = dockerfileLine(record.error);
  }
}

/** The beginning of a step may be what can not be read. Steps stand by their numbers. */
function stepOf({ steps }: Build, number: number): BuildStep {
  const before = steps.findLastIndex((step) => step.number <= number);
  const known = steps[before];
  if (known?.number === number) return known;
  const nothing = { cached: null, started: null, completed: null, error: '' };
  const step: BuildStep = { number, name: '', ...nothing, output: [] };
  steps.splice(before + 1, 0, step);
  return step;
}
