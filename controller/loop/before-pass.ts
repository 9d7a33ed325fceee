import { short } from '../../schemas/container.ts';
import { describeDeletion } from '../../schemas/memory.ts';
import { LABELS, type Program } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import { emptyStatus, type ProgramStatus } from '../../schemas/status.ts';
import type { Wanted } from '../../schemas/wanted.ts';
import type { EventDraft } from '../program/events.ts';
import { describeStranger } from '../program/ownership.ts';
import { emit, type LedgerDeps, save } from './ledger.ts';
import { withDeed } from './outcome.ts';
import { trashState } from './state.ts';

const LEDGER_LOST: EventDraft = {
  type: 'Warning',
  reason: 'StatusLost',
  message: 'its status file was lost or damaged; it is made good from its containers and its history',
};

export interface BeforeDeps extends LedgerDeps {
  /** Programs that this host has looked at. */
  met: Set<string>;
}

/** What the host before this one could tell nobody: it was killed, or its ledger was lost. */
export async function tellOfUntold(
  deps: BeforeDeps,
  before: ProgramStatus,
  situation: Situation,
): Promise<void> {
  const { name } = before;
  const isMet = deps.met.has(name);
  deps.met.add(name);
  if (isRebuilt(before, situation)) return emit(deps, before, LEDGER_LOST);
  if (isMet) return;
  const { containers } = situation;
  const untold = containers.filter(({ createdAtMs }) => createdAtMs >= Date.parse(before.updatedAt));
  const events = untold.length === 0 ? [] : await deps.registry.events.list(name);
  for (const { id, labels } of untold) {
    const what = `revision ${labels[LABELS.revision]} in container ${short(id)}`;
    if (events.some(({ message }) => message.includes(what))) continue;
    const message = `${what}, while the host before this one was killed`;
    await emit(deps, before, { type: 'Normal', reason: 'Created', message });
  }
}

/** Once of each: the memory that this look comes to knows of it. */
export async function tellOfStrangers(
  deps: BeforeDeps,
  before: ProgramStatus,
  { strangers }: Situation,
): Promise<void> {
  const known = before.memory.program.strangers ?? [];
  for (const stranger of strangers.filter(({ id }) => !known.some((one) => one.id === id))) {
    const message = describeStranger(stranger);
    await emit(deps, before, { type: 'Warning', reason: 'StrayContainer', message });
  }
}

/** Whether the ledger knew of no revision, and containers do that nobody is just deleting. */
function isRebuilt({ memory }: ProgramStatus, situation: Situation): boolean {
  const knowsRun = Object.values(memory.containers).some(({ run }) => run !== undefined);
  const isNew = memory.program.newest === undefined && !knowsRun;
  return isNew && situation.containers.length > 0 && situation.memory.program.newest !== undefined;
}

/** The status before this pass, with what must be known even if the pass ends early. */
export async function remembered(
  deps: BeforeDeps,
  wanted: Wanted,
  status: ProgramStatus,
): Promise<ProgramStatus> {
  const isLeaving = status.memory.program.deletion !== undefined;
  if (wanted.kind === 'gone' && !isLeaving) {
    // With the commit that deleted it, to be told as long as anything of it is there.
    const commit = await deps.registry.droppedBy(status.name, status.observedRevision);
    return withDeed(status, { kind: 'deleted', commit });
  }
  const program = wanted.kind === 'present' ? wanted.entry.program : undefined;
  if (program === undefined) return status;
  const before = isLeaving ? await bornAnew(deps, status, program) : status;
  const { startRequested } = before.memory.program;
  if (startRequested || program.rawSpec.desiredState === 'Stopped') return before;
  // A start that is taken back while its sources are still being looked at was asked for all the same.
  const started = withDeed(before, { kind: 'startAsked' });
  await save(deps, started, { isFirst: !deps.registry.status.isDurable(status.name) });
  return started;
}

/** The name was deleted and comes back before all of the old program is gone: what was learnt of that one goes. */
async function bornAnew(deps: BeforeDeps, old: ProgramStatus, program: Program): Promise<ProgramStatus> {
  const { name, userId, memory } = old;
  const { volume } = memory.program;
  const isSameUser = program.rawSpec.userId === userId;
  if (!isSameUser && volume !== undefined) await trashState(deps, old, volume);
  const message = `${describeDeletion(memory)}; another of its name begins before all of it is gone`;
  await emit(deps, old, { type: 'Normal', reason: 'Deleted', message });
  const empty = { ...emptyStatus(name, deps.clock.now()), userId, memory };
  const born = withDeed(empty, { kind: 'bornAnew', isSameUser });
  await save(deps, born);
  return born;
}
