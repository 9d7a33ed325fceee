import { isUp, short } from '../../schemas/container.ts';
import { AppError } from '../../schemas/errors.ts';
import type { Paused } from '../../schemas/pause.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Engine } from '../engine/engine.ts';
import { emit, type LedgerDeps } from './ledger.ts';
import { withDeed } from './outcome.ts';
import { trashState } from './state.ts';

/** What is to be swapped, and of whom: names come back, and what was sent for one program is not for the next. */
export interface SwapRequest {
  volume: string;
  /** Who asks, whose program it was when that began. */
  userId: string;
  /** What the ledger had then; undefined where there was none yet. */
  createdAt: string | undefined;
}

/** Another volume that is whole, and is to be a program's `/state` in place of the one that it has. */
interface Swap extends SwapRequest {
  done: () => void;
  failed: (error: unknown) => void;
}

/** Swaps that were asked for: each is made within a pass, since nobody else may write what is remembered. */
export interface StateSwaps {
  /**
   * Of a volume that is held. Resolves when it is so, over a host that is killed. Rejects `Conflict` while the program runs, `NotFound` where it is
   * another one by now, and as engine and disk do.
   */
  ask(name: string, request: SwapRequest): Promise<void>;
  /**
   * Says that a volume is being filled for a program, and has to stay. Gives what ends that. Throws `Conflict` where
   * another one is.
   */
  hold(name: string, volume: string): () => void;
  /** The volumes that are held. */
  held(): Iterable<string>;
  take(name: string): Swap | undefined;
  close(): void;
}

/** @param look has a program looked at soon */
export function createStateSwaps(look: (name: string) => void): StateSwaps {
  const waiting = new Map<string, Swap>();
  /** By the program that it is for. */
  const held = new Map<string, string>();
  return {
    ask: (name, request) =>
      new Promise((done, failed) => {
        waiting.set(name, { ...request, done, failed });
        look(name);
      }),
    hold(name, volume) {
      if (held.has(name)) throw busy(name);
      held.set(name, volume);
      return () => void held.delete(name);
    },
    held: () => held.values(),
    take(name) {
      const swap = waiting.get(name);
      waiting.delete(name);
      return swap;
    },
    close() {
      for (const { failed } of waiting.values())
        failed(new AppError('EngineUnavailable', 'the host ends; nothing was changed'));
      waiting.clear();
    },
  };
}

export interface SwapDeps extends LedgerDeps {
  engine: Engine;
  swaps: Pick<StateSwaps, 'take'>;
  paused: (name: string) => Paused | undefined;
}

/**
 * Makes a swap that was asked for. What is stopped has the old volume for good, so it goes first: one that is killed
 * behind that has the old state still, and is made anew with it. Then the ledger says which volume it is, by one write.
 * Never rejects: whoever asked is told.
 * @returns the status from then on
 */
export async function swapState(deps: SwapDeps, before: ProgramStatus): Promise<ProgramStatus> {
  const swap = deps.swaps.take(before.name);
  if (swap === undefined) return before;
  try {
    const after = await swapped(deps, before, swap);
    swap.done();
    return after;
  } catch (error) {
    swap.failed(error);
    return deps.registry.status.get(before.name) ?? before;
  }
}

/** The program is no more. */
export function refuseSwap({ swaps }: Pick<SwapDeps, 'swaps'>, name: string): void {
  swaps.take(name)?.failed(new AppError('NotFound', `program ${name} not found`));
}

async function swapped(deps: SwapDeps, before: ProgramStatus, swap: Swap): Promise<ProgramStatus> {
  const { registry, engine } = deps;
  const { name, memory } = before;
  const { volume } = swap;
  if (memory.program.deletion !== undefined) throw new AppError('NotFound', `program ${name} not found`);
  if (!isStillThat(deps, before, swap)) throw isAnother(name);
  if (deps.paused(name) !== undefined) throw mustResume(name);
  const containers = await engine.listContainers(name);
  const running = containers.find(isUp);
  if (running !== undefined) throw mustStop(name, running.id);
  const isStranger = (id: string) => memory.program.strangers?.some((one) => one.id === id) === true;
  const own = containers.filter(({ id }) => !isStranger(id));
  // It would be started with what it has.
  const unknown = own.find(({ id }) => memory.containers[id]?.made !== true);
  if (unknown !== undefined)
    throw new AppError(
      'Conflict',
      `whose container ${short(unknown.id)} is was not looked at yet; try again`,
    );
  // Nobody's yet: whoever clears the engine's disk by hand may take it for a leftover.
  if (!(await engine.hasVolume(volume)))
    throw new AppError(
      'Conflict',
      `the volume ${volume}, just filled for ${name}, was removed; nothing was changed`,
      {
        hint: 'Import it again, and remove no volumes of the engine meanwhile.',
      },
    );
  let status = before;
  for (const { id } of own) {
    await engine.removeContainer(id);
    status = withDeed(status, { kind: 'removed', containerId: id });
  }
  const { volume: old } = memory.program;
  if (old !== undefined) await trashState(deps, before, old);
  status = withDeed(status, { kind: 'stateReplaced', volume });
  try {
    await registry.status.put(status, { durable: true });
  } catch (error) {
    // What is not on the disk must not be in memory: the next host would find the old one.
    await registry.status.put(before).catch(() => undefined);
    throw error;
  }
  const kept = old === undefined ? '' : `; the one before (volume ${old}) is in the trash for seven days`;
  const message = `its /state was replaced by an import${kept}`;
  await emit(deps, status, {
    type: 'Normal',
    reason: 'StateImported',
    message,
    ...(swap.userId !== '' && { author: swap.userId }),
  });
  return status;
}

/** Whether the program is the one that it was asked for, and still that user's, by ledger and manifest. */
function isStillThat({ registry }: SwapDeps, now: ProgramStatus, { userId, createdAt }: Swap): boolean {
  if (createdAt !== undefined && createdAt !== now.createdAt) return false;
  const written = registry.get(now.name)?.program?.rawSpec.userId;
  return [now.userId || userId, written ?? userId].every((one) => one === userId);
}

function isAnother(name: string): AppError {
  const message = `program ${name}, whose /state this was to be, was deleted meanwhile; another has its name`;
  return new AppError('NotFound', message, { hint: `Look at GET /programs/${name} before you try again.` });
}

/** @param id of the container that runs */
export function mustStop(name: string, id: string): AppError {
  return new AppError(
    'Conflict',
    `program ${name} runs (container ${short(id)}), and may write to its /state`,
    {
      hint: `POST /programs/${name}/stop, and try again when its state is Stopped.`,
    },
  );
}

/** What it has is not touched while it is paused. */
export function mustResume(name: string): AppError {
  return new AppError('Conflict', `program ${name} is paused, and nothing of it is replaced`, {
    hint: `POST /programs/${name}/resume, or /host/resume, first.`,
  });
}

function busy(name: string): AppError {
  return new AppError('Conflict', `another /state of ${name} is just being imported`);
}
