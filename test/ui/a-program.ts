import type { RevisionView } from '../../api/program-answers.ts';
import type { ProgramBody } from '../../api/routes/view.ts';
import type { EventBody } from '../../api/ui/words/event-body.ts';

/** A time of one day: `03:12`, `03:12:44.120`. */
export function t(clock: string): string {
  return new Date(`2026-11-28T${clock.length === 5 ? `${clock}:00` : clock}Z`).toISOString();
}

export const ms = (clock: string) => Date.parse(t(clock));

export function aProgram(more: Partial<ProgramBody> = {}): ProgramBody {
  return {
    ...{ program_id: 'maker', build_id: 'build-0123456789ab', user_id: 'ana', state: 'Ready' },
    ...{ image_id: '', container_id: '', error_msg: '', proxy_url: 'http://localhost:19001', reason: '' },
    ...{ created_at: t('00:00'), updated_at: t('00:00'), restart_count: 0, conditions: [], revision: 1 },
    ...{ wanted_revision: 1, commit: '', wanted_commit: '', restarts_last_hour: 0, next_try_at: '' },
    ...{
      started_at: '',
      ready_at: '',
      limits: null,
      last_exit: null,
      not_ready: null,
      trouble: null,
      runtime: 'runc',
      image: '',
      paused: null,
    },
    ...more,
  };
}

export function anEvent(clock: string, reason: string, more: Partial<EventBody> = {}): EventBody {
  return { time: t(clock), type: 'Normal', reason, message: '', state: 'Ready', revision: 1, ...more };
}

export function aRevision(revision: number, clock: string, more: Partial<RevisionView> = {}): RevisionView {
  return {
    ...{ revision, created_at: t(clock), author: 'ana', commit: '', build_id: '', image_id: '' },
    ...{ outcome: 'Ready', message: '', log: '', current: false, spec: {} },
    ...more,
  };
}
