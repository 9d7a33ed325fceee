import type { Condition } from '../../schemas/program.ts';
import type { ProgramStore, ProgramView } from '../deps.ts';

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
  };
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
  /** JSON of the list of all programs, UTF-8. */
  all(): Buffer;
}

/**
 * Programs are read far more often than they change, so what was serialised is kept: one program for as long as
 * its view object lives (the store makes a new one when anything in it changes), the whole list for a version.
 */
export function createViewCache(programs: ProgramStore): ViewCache {
  const byView = new WeakMap<ProgramView, Buffer>();
  let list: { version: number; body: Buffer } | undefined;

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
  return {
    one,
    some,
    all() {
      const version = programs.version();
      if (list?.version !== version) list = { version, body: some(programs.list()) };
      return list.body;
    },
  };
}

const OPEN = Buffer.from('{"programs":[');
const COMMA = Buffer.from(',');
