import type { ProgramDetails, ProgramView } from '../../api/program-answers.ts';
import { emptyMemory, type ProgramMemory } from '../../schemas/memory.ts';
import { isUpState, type ProgramState, proxyUrl } from '../../schemas/program.ts';
import { resolveSpec } from '../../schemas/resolve.ts';
import type { ProgramStatus } from '../../schemas/status.ts';

export const CREATED_AT = '2026-11-22T10:00:00.000Z';

export interface ViewOptions {
  state?: ProgramState;
  desiredState?: 'Running' | 'Stopped';
  finished?: boolean;
  port?: number;
  userId?: string;
  /** By default that user; undefined where it is there and no single user's. */
  owner?: string | undefined;
  status?: Partial<ProgramStatus>;
  details?: Partial<ProgramDetails>;
}

export function fakeView(name: string, options: ViewOptions = {}): ProgramView {
  const state = options.state ?? 'Ready';
  const port = options.port ?? 19005;
  const userId = options.userId ?? 'my-user';
  return {
    name,
    owner: 'owner' in options ? options.owner : userId,
    desiredState: options.desiredState ?? 'Running',
    finished: options.finished ?? false,
    isUp: isUpState(state),
    problems: [],
    details: {
      ...{ wantedRevision: 1, commit: '', wantedCommit: '', restartsInHour: 0, nextTryAt: '' },
      limits: { memoryBytes: 2 ** 28, cpus: 0.5, pids: 256 },
      ...{ runtime: 'runc' as const, image: '', paused: null },
      ...options.details,
    },
    status: {
      name,
      state,
      reason: '',
      errorMsg: '',
      observedGeneration: 1,
      observedRevision: '',
      currentRevision: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'ProbeSucceeded',
          message: '',
          lastTransitionTime: CREATED_AT,
        },
      ],
      userId,
      buildId: 'build-0123456789ab',
      imageId: 'sha256:11',
      containerId: 'c0ffee',
      publishPort: port,
      proxyUrl: proxyUrl(port),
      restartCount: 0,
      recentRestarts: [],
      createdAt: CREATED_AT,
      startedAt: CREATED_AT,
      readyAt: CREATED_AT,
      updatedAt: CREATED_AT,
      lastExit: null,
      memory: emptyMemory(),
      trouble: troubleOf(options.status),
      ...options.status,
    },
  };
}

/** Of a program that was ready before, so that it is on its way back when it is not. */
export function goodMemory(): ProgramMemory {
  const spec = resolveSpec({ userId: 'my-user', image: 'busybox' }, 'runc');
  const good = { revision: 1, hash: 'h', imageKey: 'busybox', buildId: '', spec };
  return { ...emptyMemory(), rollout: { verdict: 'good', attempt: 'a', good } };
}

/** As old as what is told of it. */
function troubleOf({ reason = '', updatedAt = CREATED_AT }: Partial<ProgramStatus> = {}) {
  return reason === '' ? null : { reason, since: updatedAt };
}
