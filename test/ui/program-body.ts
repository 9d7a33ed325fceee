import type { ProgramBody } from '../../api/routes/view.ts';

export const AT = '2026-11-28T03:00:00.000Z';

/** A program that serves as wanted, but for what is given. */
export function programBody(given: Partial<ProgramBody> = {}): ProgramBody {
  return {
    program_id: 'maker-sol',
    build_id: 'build-0123456789ab',
    user_id: 'ana',
    state: 'Ready',
    image_id: 'sha256:11',
    container_id: 'c0ffee',
    error_msg: '',
    proxy_url: 'http://localhost:19011',
    created_at: AT,
    updated_at: AT,
    reason: '',
    restart_count: 0,
    conditions: [],
    revision: 3,
    wanted_revision: 3,
    commit: '7d6a65f0123456789',
    wanted_commit: '7d6a65f0123456789',
    restarts_last_hour: 0,
    next_try_at: '',
    started_at: AT,
    ready_at: AT,
    limits: { memory_bytes: 2 ** 29, cpus: 1, pids: 256 },
    last_exit: null,
    not_ready: null,
    trouble: null,
    runtime: 'runc',
    image: '',
    paused: null,
    ...given,
  };
}

export function exit(given: Partial<NonNullable<ProgramBody['last_exit']>> = {}) {
  return {
    code: 3,
    signal: '',
    out_of_memory: false,
    message: 'exit code 3',
    finished_at: AT,
    log_tail: '',
    ...given,
  };
}

export function condition(type: string, status: string, reason: string, message = '') {
  return { type, status, reason, message, last_transition_time: AT };
}
