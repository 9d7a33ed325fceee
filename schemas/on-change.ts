import type { ProgramSpec } from './program.ts';

/**
 * What a change of each field costs a program that runs. A field added to the spec does not compile until it
 * has its row here.
 */
export const ON_CHANGE: Record<keyof ProgramSpec, 'nothing' | 'recreate' | 'rebuild'> = {
  // Another user has another volume.
  userId: 'recreate',
  desiredState: 'nothing',
  build: 'rebuild',
  image: 'rebuild',
  // It says what the next revision is made of, and how what runs was is past.
  pullPolicy: 'nothing',
  // The host keeps it, not the container.
  proxyAccess: 'nothing',
  publishPort: 'recreate',
  runtime: 'recreate',
  command: 'recreate',
  args: 'recreate',
  env: 'recreate',
  restartPolicy: 'nothing',
  restartedAt: 'recreate',
  stopGracePeriodSeconds: 'nothing',
  resources: 'recreate',
  readiness: 'nothing',
  liveness: 'nothing',
  progressDeadlineSeconds: 'nothing',
};
