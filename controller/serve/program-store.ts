import type { DryRun, ProgramStore, ProgramView, RevisionView } from '../../api/deps.ts';
import { buildIdOfFiles, readSource } from '../../registry/contexts/sources.ts';
import type { Intent } from '../../registry/git/lock.ts';
import { emptyStatus } from '../../registry/records/status-store.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError, describeProblem } from '../../schemas/errors.ts';
import type { BuildSpec, ProgramEvent, ProgramStatus, Runtime } from '../../schemas/program.ts';
import { resolveSpec, writtenOut } from '../../schemas/resolve.ts';
import type { Revision } from '../../schemas/revision.ts';
import type { ManifestEntry } from '../../schemas/wanted.ts';
import { describeChange, diffSpecs } from './change.ts';
import { follow } from './follow.ts';
import { createRevisionHistory } from './revision-history.ts';

export interface ProgramStoreDeps {
  registry: Registry;
  clock: Clock;
  runtime: Runtime;
  /** Runs the work while nothing is collected. */
  hold: <T>(work: () => Promise<T>) => Promise<T>;
  /** Removes containers that belong to no program. Gives their names. */
  removeStrays: () => Promise<string[]>;
  /** Calls back when the log of a build is opened. Gives the function that ends it. */
  onBuildStart: (listener: (buildId: string) => void) => () => void;
}

/** The registry as the API sees it: edits of manifests one way, status the other. */
export function createProgramStore(deps: ProgramStoreDeps): ProgramStore {
  const { registry, clock } = deps;
  const history = createRevisionHistory(registry);
  const views = new Map<string, ProgramView>();
  let version = 0;
  let sorted: { version: number; list: ProgramView[] } = { version: -1, list: [] };

  const invalidate = (name: string) => {
    views.delete(name);
    version++;
  };
  registry.subscribe(({ names }) => {
    for (const name of names) invalidate(name);
  });
  registry.status.subscribe(invalidate);

  function get(name: string): ProgramView | undefined {
    const known = views.get(name);
    if (known !== undefined) return known;
    const entry = registry.get(name);
    const status = registry.status.get(name);
    if (entry === undefined && (status === undefined || registry.wanted(name).kind === 'gone'))
      return undefined;
    const view = viewOf(name, entry, status ?? emptyStatus(name, clock.now()));
    views.set(name, view);
    return view;
  }

  function viewOf(name: string, entry: ManifestEntry | undefined, status: ProgramStatus): ProgramView {
    const written = entry?.program?.rawSpec;
    const userId = status.userId || String(written?.userId ?? '');
    const wanted =
      written === undefined ? status.memory.program.inForce?.spec.desiredState : written.desiredState;
    return {
      name,
      desiredState: wanted === 'Stopped' ? 'Stopped' : 'Running',
      finished: status.reason === 'Completed',
      status: { ...status, userId },
      problems: entry?.problems ?? [],
    };
  }

  function mustGet(name: string): ProgramView {
    const view = get(name);
    if (view === undefined) throw new AppError('NotFound', `program ${name} not found`);
    return view;
  }

  /** Of the spec in force; null where an image is named, or nothing valid is known. */
  function buildOf(name: string): BuildSpec | null {
    const { status } = mustGet(name);
    const program = registry.get(name)?.program;
    if (program !== undefined) return resolveSpec(program.rawSpec, deps.runtime).build;
    return status.memory.program.inForce?.spec.build ?? null;
  }

  const newestBuild = ({ status }: ProgramView): string => status.memory.program.lastBuild || status.buildId;

  return {
    get,
    version: () => version,
    list() {
      if (sorted.version !== version) {
        const names = [...registry.list().map(({ name }) => name), ...registry.missing()].sort();
        sorted = { version, list: names.flatMap((name) => get(name) ?? []) };
      }
      return sorted.list;
    },
    manifest(name) {
      const entry = registry.get(name);
      if (entry === undefined) return undefined;
      const { text, etag, problems } = entry;
      if (etag === '') throw new AppError('RegistryUnavailable', problems.map(describeProblem).join('\n'));
      return { text, etag };
    },
    async createFromSources(name, userId, buildId, files) {
      await registry.createFromSources(name, { userId, buildId, files }, intentOf('create', name, userId));
    },
    async putManifest(name, text, etag) {
      const { program, problems, writtenName } = registry.parse(name, text);
      if (writtenName !== '' && writtenName !== name) {
        throw new AppError(
          'Conflict',
          `metadata.name is ${JSON.stringify(writtenName)} but the path says ${name}`,
          {
            hint: 'A program can not be renamed: PUT it under its new name and DELETE the old one.',
          },
        );
      }
      if (program === undefined) {
        throw new AppError('InvalidManifest', problems.map(describeProblem).join('\n'), {
          details: problems,
        });
      }
      const intent = intentOf(
        etag === null ? 'create' : 'put manifest',
        name,
        String(program.rawSpec.userId),
      );
      if (etag === null) return { etag: (await registry.create(name, text, intent)).etag, created: true };
      return { etag: (await registry.replace(name, text, etag, intent)).etag, created: false };
    },
    async editSpec(name, fields) {
      const { userId } = mustGet(name).status;
      await registry.editSpec(name, fields, intentOf(wordFor(fields), name, userId));
    },
    async remove(name) {
      await registry.remove(name, intentOf('delete', name, mustGet(name).status.userId));
    },
    async source(name) {
      const build = buildOf(name);
      return build === null ? {} : readSource(registry.paths.root, build);
    },
    buildIdOf: buildIdOfFiles,
    async buildLog(name) {
      const buildId = newestBuild(mustGet(name));
      return { buildId, log: buildId === '' ? '' : await registry.buildLogs.read(buildId) };
    },
    async *followBuildLog(name, signal) {
      await waitForBuild(name, signal);
      const view = get(name);
      if (view === undefined || signal.aborted) return;
      yield* registry.buildLogs.follow(newestBuild(view), signal);
    },
    async revisions(name) {
      const { status } = mustGet(name);
      return (await registry.revisions.list(name)).map((revision) => revisionView(revision, status));
    },
    async rollBack(name, revision) {
      const { status } = mustGet(name);
      registry.mustBeEditable();
      return deps.hold(async () => {
        const chosen = await history.pick(status, revision);
        const intent = intentOf('rollback', name, status.userId, `to revision ${chosen.number}`);
        await registry.replaceSpec(name, (onPlace) => history.restore(chosen, onPlace), intent);
        return chosen.number;
      });
    },
    async events(name) {
      mustGet(name);
      return registry.events.list(name);
    },
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
    async confirmPrune() {
      const names = await registry.confirmPrune((gone) => pruneIntent(gone, registry.status));
      return [...names, ...(await deps.removeStrays())];
    },
  };

  /** A start that was just asked for has no build yet: waits until there is one, or it is clear that none comes. */
  async function waitForBuild(name: string, signal: AbortSignal): Promise<void> {
    const isPending = () => {
      const view = get(name);
      if (view === undefined || view.desiredState === 'Stopped') return false;
      const { state } = view.status;
      const starting = state === 'Created' || state === 'Building' || state === 'Stopped';
      return starting && !view.finished && !registry.buildLogs.isOpen(newestBuild(view));
    };
    if (!isPending()) return;
    const changes = follow<string>((push) => {
      // The state is Building before the build has its turn, and stays so when the log opens.
      const stops = [registry.status.subscribe(push), deps.onBuildStart(() => push(name))];
      return () => {
        for (const stop of stops) stop();
      };
    }, signal);
    for await (const changed of changes) if (changed === name && !isPending()) return;
  }
}

/** What the commit of an edit says: what was asked, and for whom. */
function intentOf(word: string, name: string, userId: string, more = ''): Intent {
  const subject = [word, name, more].filter((part) => part !== '').join(' ');
  return { author: userId, message: `${subject}\n\nHersh-Program: ${name}\nHersh-User: ${userId}\n` };
}

/** Whoever confirms does not say who it is: where all belong to one user, it is told to be that one. */
function pruneIntent(names: readonly string[], { get }: Registry['status']): Intent {
  const users = [...new Set(names.map((name) => get(name)?.userId ?? ''))];
  const trailers = [
    ...names.map((name) => `Hersh-Program: ${name}`),
    ...users.map((id) => `Hersh-User: ${id}`),
  ];
  const author = users.length === 1 ? (users[0] ?? '') : '';
  return { author, message: `prune ${names.length} programs\n\n${trailers.join('\n')}\n` };
}

/** Which call sets these fields. */
function wordFor(fields: Record<string, string>): string {
  if (fields.desiredState === 'Running') return 'start';
  if (fields.desiredState === 'Stopped') return 'stop';
  return 'restartedAt' in fields ? 'restart' : 'edit';
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

/** What a manifest would change, against what is in force. Rejects `InvalidManifest`. */
export function dryRun(
  deps: Pick<ProgramStoreDeps, 'registry' | 'runtime'>,
  name: string,
  text: string,
): DryRun {
  const { program, problems, writtenName } = deps.registry.parse(name, text);
  if (writtenName !== '' && writtenName !== name) {
    throw new AppError(
      'Conflict',
      `metadata.name is ${JSON.stringify(writtenName)} but the path says ${name}`,
    );
  }
  const clash = deps.registry.clashOf(name);
  if (clash !== undefined)
    throw new AppError('Conflict', `${clash} exists already, and differs by case only`);
  if (program === undefined) {
    throw new AppError('InvalidManifest', problems.map(describeProblem).join('\n'), { details: problems });
  }
  const status = deps.registry.status.get(name);
  const inForce = status?.memory.program.inForce;
  const before = inForce?.spec;
  const after = resolveSpec(program.rawSpec, deps.runtime);
  const diff = [
    ...diffSpecs(inForce?.labels, program.labels, 'metadata.labels'),
    ...diffSpecs(before, after),
  ];
  const actions = describeChange(before, after, {
    isUp: status !== undefined && ['Running', 'Ready'].includes(status.state),
    isKept: status !== undefined && status.containerId !== '',
  });
  return { changed: diff.length > 0, diff, actions: diff.length > 0 ? actions : [] };
}
