import { describeExit, type LastExit } from '../../schemas/last-exit.ts';
import type { Condition } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { ProgramStore } from '../deps.ts';
import type { ProgramView } from '../program-answers.ts';
import { type KeptList, keepList } from './kept-list.ts';

/** The body of `GET /programs/{id}`, and an element of the list. Absent ids are `""`. */
export interface ProgramBody {
  program_id: string;
  build_id: string;
  user_id: string;
  state: string;
  image_id: string;
  container_id: string;
  error_msg: string;
  proxy_url: string;
  created_at: string;
  updated_at: string;
  reason: string;
  restart_count: number;
  conditions: ConditionBody[];
  /** Number of the revision that serves; 0 before the first. */
  revision: number;
  /** The one that is wanted; 0 where it was not made yet. */
  wanted_revision: number;
  /** Of git, of the revision that serves; `""` for none, null where it is being read, which is told as a change. */
  commit: string | null;
  wanted_commit: string | null;
  restarts_last_hour: number;
  next_try_at: string;
  /** Of the run that is on, or the last. */
  started_at: string;
  ready_at: string;
  limits: LimitsBody | null;
  last_exit: LastExitBody | null;
  not_ready: NotReadyBody | null;
  trouble: TroubleBody | null;
  /** Of what serves, or of what is wanted where nothing does: `runc`, `runsc`; `""` where neither is known. */
  runtime: string;
  /** The image that its spec names; `""` where it is built. */
  image: string;
  /** Why nothing is done about it; null while it is looked after. */
  paused: PausedBody | null;
}

/** Who has the host leave a program alone. */
export interface PausedBody {
  since: string;
  by: string;
  why: string;
  /** `host`: all programs are. */
  of: 'program' | 'host';
}

/** What one container of it may use. */
export interface LimitsBody {
  memory_bytes: number;
  /** CPUs, e.g. 0.5. */
  cpus: number;
  pids: number;
}

/** How it last ended by itself. */
export interface LastExitBody {
  code: number;
  /** `SIGKILL` and the like, or `""`. */
  signal: string;
  /** The want of memory ended it. */
  out_of_memory: boolean;
  /** In words: `exit code 3`, `SIGKILL`, `out of memory`, `its liveness probe failed`. */
  message: string;
  finished_at: string;
  /** The last lines of output. */
  log_tail: string;
}

/** Why it is not ready, though it runs. */
export interface NotReadyBody {
  message: string;
  since: string;
  /** Whether it was in this run, so that it is no matter of starting. */
  was_ready: boolean;
}

/** What is wrong, also between two tries of it, and since when; null where nothing is, or it is ready meanwhile. */
export interface TroubleBody {
  reason: string;
  since: string;
}

export interface ConditionBody {
  type: string;
  status: string;
  reason: string;
  message: string;
  last_transition_time: string;
}

/** What the API shows of a program. */
export function programBody(view: ProgramView): ProgramBody {
  const { status } = view;
  return {
    program_id: view.name,
    build_id: status.buildId,
    user_id: status.userId,
    state: status.state,
    image_id: status.imageId,
    container_id: status.containerId,
    error_msg: status.errorMsg,
    proxy_url: status.proxyUrl,
    created_at: status.createdAt,
    updated_at: status.updatedAt,
    reason: status.reason,
    restart_count: status.restartCount,
    conditions: status.conditions.map(conditionBody),
    revision: status.currentRevision,
    ...more(view),
  };
}

/** What the host's page shows beside it. */
function more({ status, details }: ProgramView) {
  const { limits, commit, wantedRevision, wantedCommit, restartsInHour, nextTryAt } = details;
  return {
    ...{ wanted_revision: wantedRevision, commit, wanted_commit: wantedCommit },
    restarts_last_hour: restartsInHour,
    next_try_at: nextTryAt,
    started_at: status.startedAt,
    ready_at: status.readyAt,
    limits: limits && { memory_bytes: limits.memoryBytes, cpus: limits.cpus, pids: limits.pids },
    last_exit: status.lastExit && lastExitBody(status.lastExit),
    not_ready: notReadyBody(status),
    trouble: troubleBody(status),
    runtime: details.runtime,
    image: details.image,
    paused: details.paused,
  };
}

function lastExitBody(exit: LastExit): LastExitBody {
  const { exitCode: code, signal, oomKilled, finishedAt, logTail } = exit;
  const message = describeExit(exit);
  return { code, signal, out_of_memory: oomKilled, message, finished_at: finishedAt, log_tail: logTail };
}

function notReadyBody({ state, conditions, readyAt }: ProgramStatus): NotReadyBody | null {
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (state !== 'Running' || ready === undefined || ready.status === 'True') return null;
  return { message: ready.message, since: ready.lastTransitionTime, was_ready: readyAt !== '' };
}

function troubleBody({ state, reason, trouble }: ProgramStatus): TroubleBody | null {
  const isWell = state === 'Ready' && reason === '';
  return trouble === null || isWell ? null : { reason: trouble.reason, since: trouble.since };
}

function conditionBody(condition: Condition): ConditionBody {
  return {
    type: condition.type,
    status: condition.status,
    reason: condition.reason,
    message: condition.message,
    last_transition_time: condition.lastTransitionTime,
  };
}

export interface ViewCache {
  /** JSON of one program, UTF-8. */
  one(view: ProgramView): Buffer;
  /** JSON of the list of these programs, UTF-8. */
  some(views: readonly ProgramView[]): Buffer;
  /** The list of all programs. */
  list(): KeptList;
}

/**
 * Programs are read far more often than they change, so what was serialised is kept: one program for as long as
 * its view object lives (the store makes a new one when anything in it changes), the whole list for a version.
 */
export function createViewCache(programs: ProgramStore): ViewCache {
  const byView = new WeakMap<ProgramView, Buffer>();

  const one = (view: ProgramView): Buffer => {
    let body = byView.get(view);
    if (body === undefined) {
      body = Buffer.from(JSON.stringify(programBody(view)));
      byView.set(view, body);
    }
    return body;
  };
  const some = (views: readonly ProgramView[]): Buffer => {
    const parts: Buffer[] = [OPEN];
    for (const view of views) {
      if (parts.length > 1) parts.push(COMMA);
      parts.push(one(view));
    }
    parts.push(Buffer.from(`],"count":${views.length}}`));
    return Buffer.concat(parts);
  };
  return { one, some, list: keepList(programs, some) };
}

const OPEN = Buffer.from('{"programs":[');
const COMMA = Buffer.from(',');
