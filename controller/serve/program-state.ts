import type { StateStore } from '../../api/deps.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { isUp, runKey } from '../../schemas/container.ts';
import { AppError } from '../../schemas/errors.ts';
import { LABELS } from '../../schemas/program.ts';
import { ownerOf } from '../../schemas/trashed-volume.ts';
import type { Engine } from '../engine/engine.ts';
import { volumeName } from '../loop/state.ts';
import { mustResume, mustStop, type StateSwaps } from '../loop/state-swaps.ts';
import { checkTar } from '../state/check-tar.ts';
import type { ProgramViews } from './program-views.ts';

export interface ProgramStateDeps {
  registry: Pick<Registry, 'status' | 'pauses' | 'trashedVolumes' | 'trashVolume'>;
  engine: Engine;
  swaps: Pick<StateSwaps, 'ask' | 'hold'>;
  clock: Pick<Clock, 'now'>;
  instance: string;
}

/** Whose a volume is while it is filled, and if its host is killed then: no name of a program, and so nobody's. */
const importOf = (name: string): string => `.import-${name}`;

/** What programs keep, out and in. */
export function createStateStore(
  deps: ProgramStateDeps,
  { get, mustGet }: Pick<ProgramViews, 'get' | 'mustGet'>,
): StateStore {
  const { registry, engine } = deps;

  async function mustNotRun(name: string): Promise<void> {
    const running = (await engine.listContainers(name)).find(isUp);
    if (running !== undefined) throw mustStop(name, running.id);
  }

  /** Of a program that is there its own, otherwise what it left; undefined where there is none. */
  async function volumeOf(name: string): Promise<string | undefined> {
    const view = get(name);
    if (view !== undefined) return registry.status.get(name)?.memory.program.volume;
    const held = new Set(
      registry.status.names().map((one) => registry.status.get(one)?.memory.program.volume),
    );
    const trashed = (await registry.trashedVolumes()).filter((one) => ownerOf(one) === name);
    const free = trashed.findLast(({ volume }) => !held.has(volume))?.volume;
    // Of one that was just deleted the ledger has it until its container is gone.
    return free ?? registry.status.get(name)?.memory.program.volume;
  }

  return {
    async read(name, signal) {
      const volume = await volumeOf(name);
      if (volume === undefined && get(name) === undefined)
        throw new AppError('NotFound', `there is no program ${name}, and no /state of it in the trash`);
      const runs = await runsOf(deps, name);
      const content = volume === undefined ? undefined : await engine.readVolume(volume, signal);
      if (content === undefined)
        throw new AppError('Conflict', `program ${name} has no /state yet`, {
          hint: 'Its first start makes one.',
        });
      return stillWhole(content, () => mustBeSameRuns(deps, name, runs));
    },
    async replace(name, tar) {
      const { desiredState, finished, status } = mustGet(name);
      const { userId } = status;
      const createdAt = registry.status.get(name)?.createdAt;
      if (registry.pauses.of(name) !== undefined) throw mustResume(name);
      if (desiredState !== 'Stopped' && !finished)
        throw new AppError('Conflict', `program ${name} is to run, and would write to its /state`, {
          hint: `POST /programs/${name}/stop, and try again when its state is Stopped.`,
        });
      const volume = `${volumeName(deps.instance, name, userId)}-${deps.clock.now()}`;
      const letGo = deps.swaps.hold(name, volume);
      try {
        await mustNotRun(name);
        // First, so that a host that is killed from here on leaves nothing that nobody knows of.
        await registry.trashVolume({ name: importOf(name), userId, volume });
        const checked = checkTar(tar);
        await engine.fillVolume({
          ...{ volume, content: checked.content, root: checked.root },
          labels: { [LABELS.program]: name, [LABELS.user]: userId },
        });
        await deps.swaps.ask(name, { volume, userId, createdAt }).catch(async (error: unknown) => {
          await engine.removeVolume(volume).catch(() => undefined);
          throw error;
        });
      } finally {
        letGo();
      }
    },
  };
}

type RunDeps = Pick<ProgramStateDeps, 'engine' | 'registry'>;

/** Throws while it runs. Gives what is another text once any container of it has run since, or one that had is gone. */
async function runsOf({ engine, registry }: RunDeps, name: string): Promise<string> {
  const listed = await engine.listContainers(name);
  const found = await Promise.all(listed.map(({ id }) => engine.inspectContainer(id)));
  const containers = found.filter((one) => one !== undefined);
  const running = [...listed, ...containers].find(isUp);
  if (running !== undefined) throw mustStop(name, running.id);
  const ran = containers.filter(({ startedAtMs }) => startedAtMs > 0);
  const runs = ran.map((one) => `${runKey(one)} ${one.finishedAtMs}`).sort();
  return [...runs, registry.status.get(name)?.restartCount ?? 0].join();
}

async function mustBeSameRuns(deps: RunDeps, name: string, before: string): Promise<void> {
  if ((await runsOf(deps, name)) === before) return;
  const message = `program ${name} ran or was replaced while its /state was read, which may be torn`;
  throw new AppError('Conflict', message, {
    hint: 'Read it again, and leave the program stopped until it is read.',
  });
}

/** What was read while the program ran, be it for a moment, is no state of it: the end of it never comes. */
async function* stillWhole(
  content: AsyncIterable<Uint8Array>,
  check: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  yield* content;
  await check();
}
