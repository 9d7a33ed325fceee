import type { StatusStore } from '../../registry/records/status-store.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { type ContextCache, concerns } from '../images/context-cache.ts';

/** Which programs have to be looked at since what they are built from changed. */
export interface SourceChanges {
  /** Takes a hint: paths relative to the registry that changed. */
  hint(paths: ReadonlySet<string>): void;
  /** Finds what no hint told. */
  relook(): Promise<void>;
}

export function createSourceChanges(
  statuses: StatusStore,
  contexts: ContextCache,
  onProgram: (name: string) => void,
): SourceChanges {
  /** What the programs that should run are built from. */
  function buildsInForce(): [string, BuildSpec][] {
    return statuses.names().flatMap((name): [string, BuildSpec][] => {
      const spec = statuses.get(name)?.memory.program.inForce?.spec;
      return spec?.desiredState === 'Running' && spec.build !== null ? [[name, spec.build]] : [];
    });
  }

  return {
    hint(paths) {
      if (paths.size === 0) return;
      contexts.invalidate(paths);
      for (const [name, build] of buildsInForce()) if (concerns(build, paths)) onProgram(name);
    },
    async relook() {
      const builds = buildsInForce();
      const changed = await contexts.relook(builds.map(([, build]) => build));
      const folders = new Set(changed.map(({ context }) => context));
      for (const [name, { context }] of builds) if (folders.has(context)) onProgram(name);
    },
  };
}
