import type { Build } from '../../../schemas/build-step.ts';
import type { FeedMessage } from '../../client.ts';
import type { ProgramBody } from '../host/bodies.ts';
import { followFeed } from '../host/follow.ts';
import type { Host } from '../host/host.ts';
import { CliError, EXIT, Interrupted } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import { createLimit } from '../io/limit.ts';
import { harmless, paintFor } from '../output/paint.ts';
import { createProgress, type Progress } from '../output/progress.ts';
import { lineOfStep } from '../sources/dockerfile-line.ts';
import { followSteps } from './build-steps.ts';
import type { Run } from './run.ts';

/** What was asked for. */
export interface Deployed {
  name: string;
  /** Of the files that it is to be built of. */
  buildId: string;
}

export interface DeployContext {
  dockerfile: string;
  /** The folder, for words. */
  dir: string;
  /** 0: no end. */
  timeoutMs: number;
}

/** Why a revision does not come. What is tried again by itself is not among them while it is. */
const FATAL: ReadonlySet<string> = new Set([
  ...[
    'BuildFailed',
    'StartFailed',
    'ImageNotFound',
    'ImageRefused',
    'InvalidManifest',
    'PortConflict',
    'StateNotTaken',
  ],
  ...['CrashLoopBackOff', 'ProgressDeadlineExceeded', 'RolledBack', 'Completed'],
]);
/** Of the output of what failed. */
const LINES_SHOWN = 20;

/**
 * Asks for it and shows what comes of it. Gives the program when it is Ready; rejects `CliError` when it will not be.
 * @param submit asks for it; called once what happens from then on is heard
 */
export async function followDeploy(
  run: Run,
  host: Host,
  submit: () => Promise<Deployed>,
  context: DeployContext,
): Promise<ProgramBody> {
  const limit = createLimit(run.io, context.timeoutMs);
  const paint = paintFor(run.io, run.io.stderr, run.options().color);
  const progress = createProgress(run.io.stderr, paint);
  let deployed: Deployed | undefined;
  const onSubmit = async () => {
    deployed = await submit();
    return deployed;
  };
  try {
    const ended = await toItsEnd(limit.io, host, onSubmit, progress);
    if (!ended.isFailed) return ended.program;
    throw await failureOf(host, ended.program, context);
  } catch (error) {
    const goesOn = deployed === undefined ? '' : `the deploy goes on: hershctl get ${deployed.name}`;
    if (limit.isOver())
      throw new CliError(EXIT.timedOut, `not Ready in ${context.timeoutMs / 1_000} s`, goesOn);
    throw error instanceof Interrupted || run.io.signal.aborted ? new Interrupted(goesOn) : error;
  } finally {
    progress.stop();
    limit.end();
  }
}

interface DeployEnd {
  program: ProgramBody;
  isFailed: boolean;
}

async function toItsEnd(
  io: Io,
  host: Host,
  submit: () => Promise<Deployed>,
  progress: Progress,
): Promise<DeployEnd> {
  const stop = new AbortController();
  // That the host is away is said once.
  const silent = { ...io.stderr, write: () => undefined };
  const besides = { ...io, stderr: silent, signal: AbortSignal.any([io.signal, stop.signal]) };
  let watcher: Watcher | undefined;
  try {
    for await (const message of followFeed(io, host)) {
      // What is told from here on comes after what is asked for now.
      if (message.type === 'synced' && watcher === undefined) {
        const deployed = await submit();
        watcher = createWatcher(deployed, progress, (onBegin) =>
          followSteps(besides, host, { ...deployed, progress, onBegin }),
        );
        // It may have been Ready all the time.
        watcher.see({ type: 'program', id: '', data: await host.client.program(deployed.name) });
      } else watcher?.see(message);
      const end = watcher?.end();
      if (end === undefined) continue;
      await watcher?.stepsShown(io);
      return end;
    }
  } finally {
    stop.abort();
  }
  throw new Interrupted();
}

interface Watcher {
  see(message: FeedMessage): void;
  /** Undefined while it goes on. */
  end(): DeployEnd | undefined;
  /** Resolves once the build's steps are told, or soon. */
  stepsShown(io: Io): Promise<void>;
}

/** Of a build that has ended, its last steps may be still on their way. */
const STEPS_MS = 1_000;

function createWatcher(
  { name, buildId }: Deployed,
  progress: Progress,
  followBuild: (onBegin: () => void) => Promise<void>,
): Watcher {
  let program: ProgramBody | undefined;
  let steps: Promise<void> | undefined;
  let isBegun = false;
  const onBegin = () => {
    isBegun = true;
  };
  let shown = '';
  /** What has gone wrong since. */
  const troubles = new Set<string>();

  function take(next: ProgramBody): void {
    // What was asked for may be newer than what is told.
    if (program !== undefined && next.updated_at < program.updated_at) return;
    program = next;
    const { state, reason } = next;
    const isBuilding = state === 'Building' || reason === 'Building';
    if (isBuilding) steps ??= followBuild(onBegin);
    const doing = isBuilding ? 'Building' : state;
    // Told late: it is asked to start already.
    if (doing === shown || (doing === 'Created' && shown !== '')) return;
    if (doing === 'Ready' && next.build_id !== buildId) return;
    shown = doing;
    if (doing === 'Ready') progress.done(`${name}: Ready`);
    else if (doing !== 'Error') progress.doing(`${name}: ${doing}`);
  }

  return {
    see(message) {
      if (message.type === 'program' && message.data.program_id === name) take(message.data);
      if (message.type === 'event' && message.data.program_id === name) troubles.add(message.data.reason);
      if (message.type === 'removed' && message.data.program_id === name)
        throw new CliError(EXIT.notFound, `${name} was deleted meanwhile`);
    },
    end() {
      if (program === undefined) return undefined;
      const {
        state,
        reason,
        build_id: built,
        revision,
        wanted_revision: wanted,
        next_try_at: next,
      } = program;
      const isWanted = built === buildId && (wanted === 0 || wanted === revision);
      if (state === 'Ready' && isWanted && !FATAL.has(reason)) return { program, isFailed: false };
      const isTriedAgain = next !== '' && reason !== 'CrashLoopBackOff';
      const isFailed = FATAL.has(reason) && troubles.has(reason) && !isTriedAgain;
      return isFailed ? { program, isFailed } : undefined;
    },
    async stepsShown(io) {
      if (isBegun) await Promise.race([steps, io.delay(STEPS_MS, io.signal)]);
    },
  };
}

/** Why, with the lines that tell it. */
async function failureOf(host: Host, program: ProgramBody, context: DeployContext): Promise<CliError> {
  const { program_id: name, reason, error_msg: message, last_exit: exit, state } = program;
  const serves =
    state === 'Ready' || state === 'Running' ? `\nRevision ${program.revision} goes on serving.` : '';
  const hint = `hershctl describe ${name}${serves}`;
  if (reason === 'BuildFailed') {
    const build = await host.client.build(name).catch(() => undefined);
    const lines = build === undefined ? [harmless(message)] : buildLines(build, context);
    return new CliError(EXIT.failed, [`the build of ${name} failed`, ...lines].join('\n'), hint);
  }
  const tail = harmless(exit?.log_tail ?? '').trimEnd();
  const isTold = tail === '' || message.includes(tail.split('\n').at(-1) ?? '');
  const lines = isTold ? [] : tail.split('\n').slice(-LINES_SHOWN);
  return new CliError(
    EXIT.failed,
    [`${name}: ${reason}: ${harmless(message).trimEnd()}`, ...lines].join('\n'),
    hint,
  );
}

function buildLines(
  { steps, error, dockerfile_line: told }: Build,
  { dockerfile, dir }: DeployContext,
): string[] {
  const step = steps.findLast((one) => one.error !== '' && one.error !== 'canceled');
  const line = told ?? (step === undefined ? undefined : lineOfStep(dockerfile, step.name));
  const text = line === undefined || line === null ? undefined : dockerfile.split(/\r?\n/)[line - 1];
  const output = (step?.output ?? []).slice(-LINES_SHOWN).map((one) => `  ${harmless(one)}`);
  const why = harmless(step?.error || error).trimEnd();
  const place = text === undefined ? [] : [`${dir.replace(/\/+$/, '')}/Dockerfile:${line}: ${text.trim()}`];
  return [...(step === undefined ? [] : [step.name]), ...output, ...(why === '' ? [] : [why]), ...place];
}
