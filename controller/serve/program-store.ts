/** The room that serves the API: what registry and controller know and do, in the shape in which it asks for it. */

import type { ProgramStore } from '../../api/deps.ts';
import type { RevisionView } from '../../api/program-answers.ts';
import { buildIdOfFiles, readSource } from '../../registry/contexts/sources.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError, describeProblem } from '../../schemas/errors.ts';
import type { BuildSpec, ProgramEvent, Runtime } from '../../schemas/program.ts';
import { resolveSpec, writtenOut } from '../../schemas/resolve.ts';
import type { Revision } from '../../schemas/revision.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Observed } from '../loop/observed.ts';
import { follow } from './as-stream.ts';
import { createNewestBuildLog, type NewestBuildLogDeps } from './newest-build-log.ts';
import { createProgramEdits, type ProgramEditDeps } from './program-edits.ts';
import { createProgramViews, type ProgramViews } from './program-views.ts';

export interface ProgramStoreDeps extends ProgramEditDeps, NewestBuildLogDeps {
  clock: Clock;
  runtime: Runtime;
  observed: Pick<Observed, 'has' | 'subscribe'>;
}

/** The registry as the API sees it: edits of manifests one way, status the other. */
export function createProgramStore(deps: ProgramStoreDeps): ProgramStore & Pick<ProgramViews, 'mustGet'> {
  const { registry, runtime } = deps;
  const views = createProgramViews(registry, deps.clock, deps.observed);
  const { get, mustGet, list, version, onChange, onAnyChange } = views;

  /** Of the spec in force; null where an image is named, or nothing valid is known. */
  function buildOf(name: string): BuildSpec | null {
    const { status } = mustGet(name);
    const program = registry.get(name)?.program;
    if (program !== undefined) return resolveSpec(program.rawSpec, runtime).build;
    return status.memory.program.inForce?.spec.build ?? null;
  }

  return {
    ...{ get, mustGet, list, version, onChange, onAnyChange },
    leftBy: (name) => (get(name) === undefined ? registry.status.get(name)?.userId : undefined),
    ...createProgramEdits(deps, views),
    ...createNewestBuildLog(deps, views),
    buildIdOf: buildIdOfFiles,
    manifest(name) {
      const entry = registry.get(name);
      if (entry === undefined) return undefined;
      const { text, etag, problems } = entry;
      if (etag === '') throw new AppError('RegistryUnavailable', problems.map(describeProblem).join('\n'));
      return { text, etag };
    },
    async source(name) {
      const build = buildOf(name);
      return build === null ? {} : readSource(registry.paths.root, build, registry.contexts.mayLink);
    },
    async revisions(name) {
      const { status } = mustGet(name);
      return (await registry.revisions.list(name)).map((revision) => revisionView(revision, status));
    },
    async revisionFiles(name, number) {
      mustGet(name);
      const kept = await registry.revisions.list(name);
      const revision = kept.find((one) => one.number === number);
      if (revision === undefined) throw new AppError('NotFound', `program ${name} has no revision ${number}`);
      const { spec, buildHash } = revision;
      if (spec.build === null) return [];
      const files = await registry.contexts.filesOf(spec.build, buildHash);
      return files?.map(({ name: file, mode, sha256 }) => ({ name: file, mode: mode.toString(8), sha256 }));
    },
    async events(name) {
      mustGet(name);
      return registry.events.list(name);
    },
    eventsSince: registry.events.since,
    onNewEvent: registry.events.subscribeNew,
    followEvents(name, signal) {
      mustGet(name);
      return follow<ProgramEvent>((push, end) => {
        const stops = [
          registry.events.subscribe(name, push),
          registry.status.subscribe((changed) => {
            // Not before its ledger is gone: the last events tell how it went.
            if (changed === name && registry.status.get(name) === undefined && get(name) === undefined) end();
          }),
        ];
        return () => {
          for (const stop of stops) stop();
        };
      }, signal);
    },
  };
}

function revisionView(revision: Revision, status: ProgramStatus): RevisionView {
  return {
    revision: revision.number,
    created_at: revision.createdAt,
    author: revision.author,
    commit: revision.commit,
    build_id: revision.buildId,
    image_id: revision.imageId,
    outcome: revision.outcome,
    message: revision.message,
    log: revision.log ?? '',
    current: revision.number === status.currentRevision,
    spec: writtenOut(revision.spec),
  };
}
