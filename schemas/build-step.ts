/** What an engine tells of a build's steps while it goes. What it does not tell is null. */
export type StepNews =
  /** A step begins; they are counted from 1 as they do. */
  | { kind: 'step'; number: number; name: string; started: string | null }
  /** A line that it printed. */
  | { kind: 'output'; number: number; text: string }
  /** `cached` is null where the builder does not say so, `error` is `""` for a step that went well. */
  | { kind: 'end'; number: number; completed: string | null; cached: boolean | null; error: string };

export type BuildOutcome = 'Running' | 'Succeeded' | 'Failed' | 'Canceled' | 'Interrupted';

/** A build as it is written down while it goes, a record a line. */
export type BuildRecord =
  | { kind: 'build'; build_id: string; started: string }
  | StepNews
  /** More output than is kept: what comes after is left off, but not that steps begin and end. */
  | { kind: 'full' }
  | { kind: 'done'; ended: string; outcome: 'Succeeded' | 'Failed' | 'Canceled'; error: string };

/** In the words of the API. */
export interface BuildStep {
  number: number;
  name: string;
  /** Null while it runs, and where the builder does not tell. */
  cached: boolean | null;
  started: string | null;
  completed: string | null;
  /** `""` for one that has not failed. */
  error: string;
  output: string[];
}

export interface Build {
  /** One try of one build: `build-0123456789ab@1764300000000`; `""` where nothing is known of it. */
  id: string;
  build_id: string;
  started: string | null;
  ended: string | null;
  /** Null where nothing is known of it. `Interrupted`: the host ended meanwhile. */
  outcome: BuildOutcome | null;
  error: string;
  /** The line of the Dockerfile that the builder could not read; null where it names none. */
  dockerfile_line: number | null;
  steps: BuildStep[];
  /** Whether output was left off, since it was more than is kept. */
  is_cut: boolean;
  /** Whether part of what was written down of it can not be read. */
  is_damaged: boolean;
}

/** A build in a list. */
export interface BuildSummary
  extends Pick<Build, 'id' | 'build_id' | 'started' | 'ended' | 'outcome' | 'error' | 'is_damaged'> {
  /** How many began, and how many of those were cached. */
  steps: number;
  cached_steps: number;
}

export function emptyBuild(buildId: string): Build {
  const nothing = { started: null, ended: null, outcome: null, error: '', dockerfile_line: null };
  return { id: '', build_id: buildId, ...nothing, steps: [], is_cut: false, is_damaged: false };
}

export function summaryOf(build: Build): BuildSummary {
  const { id, build_id, started, ended, outcome, error, is_damaged, steps } = build;
  const cached = steps.filter((step) => step.cached === true).length;
  return {
    ...{ id, build_id, started, ended, outcome, error, is_damaged },
    ...{ steps: steps.length, cached_steps: cached },
  };
}

/** Names one try of a build. @param started as in its record */
export function tryIdOf(buildId: string, started: string): string {
  return `${buildId}@${Date.parse(started)}`;
}

/** Of BuildKit's words, old and new: `dockerfile parse error line 2: …`, `dockerfile parse error on line 2: …`. */
export function dockerfileLine(error: string): number | null {
  const found = /dockerfile parse error(?: on)? line (\d{1,7})\b/.exec(error)?.[1];
  return found === undefined ? null : Number(found);
}
