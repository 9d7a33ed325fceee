import { createReadStream } from 'node:fs';
import type { Registry } from '../../registry/registry.ts';
import { type BuildPolicy, DEFAULT_POLICY } from '../build-policy/build-policy.ts';
import { createMayBuild, mustBePullable } from '../images/may-build.ts';
import { createImageTasks, type ImageTaskDeps, type ImageTasks } from '../images/once-an-image.ts';
import { ownsBuild } from './own-builds.ts';

/** Who is told of the tasks, and gives what is built. */
export interface ImageTaskEars extends Required<Pick<ImageTaskDeps, 'snapshot' | 'onTrouble' | 'onDone'>> {
  onBuildStart: (buildId: string) => void;
}

export interface ImageTaskParts
  extends Pick<ImageTaskDeps, 'engine' | 'clock' | 'log' | 'metrics' | 'credentials'> {
  registry: Registry;
  buildPolicy?: BuildPolicy;
}

/** The room of images, put together. */
export function imageTasksOf(deps: ImageTaskParts, { onBuildStart, ...ears }: ImageTaskEars): ImageTasks {
  const { registry, engine, clock, log, metrics, buildPolicy: policy = DEFAULT_POLICY } = deps;
  const mayBuild = createMayBuild({
    ...{ policy, engine, openSnapshot: createReadStream },
    ownsBuild: (userId, buildId) => ownsBuild(registry, userId, buildId),
  });
  return createImageTasks({
    ...{ engine, clock, log, metrics, ...ears },
    ...(deps.credentials && { credentials: deps.credentials }),
    openSnapshot: (path, range) => createReadStream(path, range),
    mayPull: (reference) => mustBePullable(policy, reference),
    startSteps: registry.buildHistory.start,
    mayBuild,
    startLog(buildId) {
      const writer = registry.buildLogs.start(buildId);
      onBuildStart(buildId);
      return writer;
    },
  });
}
