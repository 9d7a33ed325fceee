import type { Registry } from '../../registry/registry.ts';
import type { StateFacts } from '../../schemas/facts.ts';
import { describeLostState } from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import { digest } from '../../schemas/spec-hash.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { sourcesOf } from '../../schemas/trashed-volume.ts';
import type { Engine } from '../engine/engine.ts';
import { instancePrefix } from '../engine/owner.ts';
import type { EventDraft } from '../program/events.ts';
import { BESIDE_MS_MAX, renamedWords } from '../program/state.ts';
import { emit, type LedgerDeps } from './ledger.ts';

/** Reading and writing down whose `/state` a volume is; which one a program gets is the mind's to say. */

/** Differs by user, so that a name that comes again under another user never gets the first one's data. */
export function volumeName(instance: string, name: string, userId: string): string {
  const prefix = instancePrefix(instance);
  return `${prefix}hersh-state-${name}-${digest(userId).slice(0, 8)}`;
}

/** Rejects `RegistryUnavailable`: a trash that can not be read must not be taken for an empty one. */
export async function stateFacts(
  registry: Pick<Registry, 'trashedVolumes' | 'status' | 'get'>,
  instance: string,
  name: string,
  userId: string,
  from: string | undefined,
): Promise<StateFacts> {
  const { status } = registry;
  const trashed = await registry.trashedVolumes();
  const others = status.names().filter((other) => other !== name);
  const held = others.flatMap((other): [string, string][] => {
    const volume = status.get(other)?.memory.program.volume;
    return volume === undefined ? [] : [[volume, other]];
  });
  const isThere = from !== undefined && registry.get(from) !== undefined;
  const isKnown = from !== undefined && (status.get(from) !== undefined || status.damaged().has(from));
  return {
    ...{ plain: volumeName(instance, name, userId), trashed, held: Object.fromEntries(held) },
    from: isThere ? 'present' : isKnown ? 'leaving' : 'gone',
  };
}

/** Notes that the volume is that program's no more, with what it was made of. Rejects `RegistryUnavailable`. */
export function trashState(
  { registry }: Pick<LedgerDeps, 'registry'>,
  { name, userId, memory }: ProgramStatus,
  volume: string,
): Promise<void> {
  const sources = sourcesOf(memory.program.inForce?.rawSpec);
  return registry.trashVolume({ name, userId, volume, sources });
}

/**
 * The volume that the next container gets: the one it has, or one that is claimed for it, which is written down before
 * the ledger names it, so that a host that is killed in between finds it. Undefined where somebody else has it by now.
 */
export async function claimState(
  { registry }: LedgerDeps,
  { name, memory }: ProgramStatus,
  { state }: Situation,
  userId: string,
): Promise<{ volume: string; from?: string } | undefined> {
  const { volume: known } = memory.program;
  if (known !== undefined) return { volume: known };
  if (state === undefined || state.kind === 'refused') return undefined;
  const { volume } = state;
  const from = state.kind === 'taken' ? state.from : undefined;
  if (!(await registry.claimVolume({ name, userId, volume, from }))) return undefined;
  return { volume, ...(from !== undefined && { from }) };
}

/** When a volume that holds data proved to be gone, which is told; undefined where it is there, or is to be new. */
export async function tellOfLostState(
  deps: LedgerDeps & { engine: Pick<Engine, 'hasVolume'> },
  before: ProgramStatus,
  { volume, from }: { volume: string; from?: string },
): Promise<string | undefined> {
  const isToBeThere = before.memory.program.hasState || from !== undefined;
  if (!isToBeThere || (await deps.engine.hasVolume(volume))) return undefined;
  await emit(deps, before, { type: 'Warning', reason: 'StateLost', message: describeLostState(volume) });
  return timestamp(deps.clock.now());
}

/** Tells both of a `/state` that changed hands, or of one that stays where it is though its program was renamed. */
export async function tellOfState(
  deps: LedgerDeps,
  status: ProgramStatus,
  { state }: Situation,
): Promise<void> {
  const { name } = status;
  if (state?.kind === 'taken') {
    const { from, volume } = state;
    const message = `the /state of ${from}, which is gone, is its own now (volume ${volume})`;
    await emit(deps, status, { type: 'Normal', reason: 'StateTaken', message });
    await emitOfGone(deps, from, {
      type: 'Normal',
      reason: 'StateTaken',
      message: `program ${name} has its /state now`,
    });
  }
  if (state?.kind === 'own' && state.renamedFrom !== undefined)
    await tellOfRename(deps, state.renamedFrom, status);
}

/** A program is gone: another may be what it was renamed to, and has a `/state` of its own already. */
export async function tellOfRenamed(deps: LedgerDeps, gone: ProgramStatus): Promise<void> {
  const { registry, clock } = deps;
  const sources = sourcesOf(gone.memory.program.inForce?.rawSpec);
  const isYoung = ({ createdAt }: ProgramStatus) => clock.now() - Date.parse(createdAt) <= BESIDE_MS_MAX;
  for (const { name, program } of registry.list()) {
    const status = registry.status.get(name);
    const { volume, stateFrom } = status?.memory.program ?? {};
    if (status === undefined || volume === undefined || stateFrom !== undefined || !isYoung(status)) continue;
    const isIts = program?.rawSpec.userId === gone.userId && sourcesOf(program.rawSpec) === sources;
    if (isIts && sources !== '') await tellOfRename(deps, gone.name, status);
  }
}

async function tellOfRename(deps: LedgerDeps, from: string, status: ProgramStatus): Promise<void> {
  const { of, old } = renamedWords(from, status.name);
  await emit(deps, status, { type: 'Warning', reason: 'Renamed', message: of });
  await emitOfGone(deps, from, { type: 'Warning', reason: 'Renamed', message: old });
}

/** An event of a program that is no more, whose history is kept. */
function emitOfGone({ registry, clock }: LedgerDeps, name: string, event: EventDraft): Promise<void> {
  const time = timestamp(clock.now());
  // The name may be another's by then.
  const { state = 'Stopped', currentRevision: revision = 0 } = registry.status.get(name) ?? {};
  return registry.events.append(name, { time, ...event, state, revision });
}
