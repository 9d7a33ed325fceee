import type { ProgramStore } from '../../api/deps.ts';
import type { ProgramView } from '../../api/program-answers.ts';
import type { Registry } from '../../registry/registry.ts';
import { type Build, emptyBuild, summaryOf } from '../../schemas/build-step.ts';
import { AppError } from '../../schemas/errors.ts';
import { follow } from './as-stream.ts';
import type { ProgramViews } from './program-views.ts';

export interface NewestBuildLogDeps {
  registry: Registry;
  /** Calls back when the log of a build is opened. Gives the function that ends it. */
  onBuildStart: (listener: (buildId: string) => void) => () => void;
}

/** What the newest build of each program says, as text and as data; and the builds before it. */
export function createNewestBuildLog(
  { registry, onBuildStart }: NewestBuildLogDeps,
  { get, mustGet }: ProgramViews,
): Pick<ProgramStore, 'buildLog' | 'followBuildLog' | 'build' | 'builds' | 'followBuild'> {
  const { buildHistory } = registry;
  return {
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
    async build(name, id) {
      const newest = await newestOf(name);
      if (id === undefined) return newest;
      // The newest try of a build comes first. Of one without an id nothing is known.
      const all = [newest, ...(await buildHistory.list(name))].filter((one) => one.id !== '');
      const found = all.find((one) => one.id === id) ?? all.find((one) => one.build_id === id);
      if (found !== undefined) return found;
      throw new AppError('NotFound', `program ${name} has no build ${id} that is kept`, {
        hint: `GET /programs/${name}/builds lists what is kept.`,
      });
    },
    async builds(name) {
      const newest = await newestOf(name);
      const kept = await buildHistory.list(name);
      const isKept = newest.id === '' || kept.some(({ id }) => id === newest.id);
      // That is the newest one of all: it runs, or its program came when it was over.
      return (isKept ? kept : [newest, ...kept]).map(summaryOf);
    },
    async *followBuild(name, signal) {
      await waitForBuild(name, signal);
      const view = get(name);
      if (view === undefined || signal.aborted) return;
      yield* buildHistory.follow(newestBuild(view), signal);
    },
  };

  async function newestOf(name: string): Promise<Build> {
    const buildId = newestBuild(mustGet(name));
    return buildId === '' ? emptyBuild('') : buildHistory.newest(buildId);
  }

  /** A start that was just asked for has no build yet: waits until there is one, or it is clear that none comes. */
  async function waitForBuild(name: string, signal: AbortSignal): Promise<void> {
    const isPending = () => {
      const view = get(name);
      return view !== undefined && isStarting(view) && !registry.buildLogs.isOpen(newestBuild(view));
    };
    if (!isPending()) return;
    const changes = follow<string>((push) => {
      // The state is Building before the build has its turn, and stays so when the log opens.
      const stops = [registry.status.subscribe(push), onBuildStart(() => push(name))];
      return () => {
        for (const stop of stops) stop();
      };
    }, signal);
    for await (const changed of changes) if (changed === name && !isPending()) return;
  }
}

function newestBuild({ status }: ProgramView): string {
  return status.memory.program.lastBuild || status.buildId;
}

function isStarting({ desiredState, finished, status }: ProgramView): boolean {
  if (desiredState === 'Stopped' || finished) return false;
  return ['Created', 'Building', 'Stopped'].includes(status.state);
}
