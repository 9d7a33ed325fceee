import type { ProgramStatus } from '../../schemas/status.ts';
import type { Share } from '../files/sharing.ts';

/** The same status, with one object for what most programs have alike: of thousands that is most of them. */
export function shared(status: ProgramStatus, share: Share): ProgramStatus {
  const { memory } = status;
  const { inForce } = memory.program;
  const wish = inForce && {
    ...inForce,
    rawSpec: share(inForce.rawSpec),
    spec: share(inForce.spec),
    labels: share(inForce.labels),
  };
  return {
    ...status,
    recentRestarts: share(status.recentRestarts),
    memory: {
      ...memory,
      program: { ...memory.program, ...(wish && { inForce: wish }) },
      rollout: share(memory.rollout),
      containers: share(memory.containers),
      starts: share(memory.starts),
    },
  };
}
