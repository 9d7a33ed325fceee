import type { Registry } from '../../registry/registry.ts';
import { type ContainerSummary, isUp, runKey } from '../../schemas/container.ts';
import { describeDeletion } from '../../schemas/memory.ts';
import type { Runtime } from '../../schemas/program.ts';
import { type Situation, specOf } from '../../schemas/situation.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { emptyStatus } from '../../schemas/status.ts';
import type { Wanted } from '../../schemas/wanted.ts';
import { type Action, describe } from '../program/action.ts';
import { eventsBetween, isCommitted } from '../program/events.ts';
import { type GoalResult, goalOf, isFetchedAnew } from '../program/goal.ts';
import { plan } from '../program/plan.ts';
import { asRunning, mayMove } from '../program/roles.ts';
import { givesUp, learntGood, probesFor } from '../program/rollback.ts';
import {
  hasBeenReady,
  type StatusContext,
  status as statusOf,
  statusWithoutEngine,
} from '../program/status.ts';
import { type Decided, decidedOf, describeGivingUp, type PassRecord } from '../trace/pass.ts';
import { type BeforeDeps, remembered, tellOfStrangers, tellOfUntold } from './before-pass.ts';
import { type ExecuteDeps, execute } from './execute.ts';
import { emit, save } from './ledger.ts';
import { type ObserveDeps, observe } from './observe.ts';
import { withDeed } from './outcome.ts';
import type { Prober } from './prober.ts';
import { isAtRest } from './resync.ts';
import { keepFailed, keepReady, keepSuperseded } from './revisions.ts';
import { tellOfRenamed, trashState } from './state.ts';
import { refuseSwap, type SwapDeps, swapState } from './state-swaps.ts';

type Trace = ((decided: Decided) => void) | undefined;

/** Passes in a row before the key goes back to the queue, so that one program can not keep a worker. */
const PASSES_MAX = 20;

export interface ReconcileDeps extends BeforeDeps, ObserveDeps, ExecuteDeps, SwapDeps {
  registry: Registry;
  prober: Prober;
  runtime: Runtime;
  /** Why the engine can not be asked, or `""`. */
  engineTrouble: () => string;
  /** Told of what a look found. */
  saw: (name: string, containers: readonly ContainerSummary[]) => void;
  /** Something is about to be done about the program, which may make a container of it. */
  touched: (name: string) => void;
  /** A pass over the program begins: what happened before needs no other. */
  begins: (name: string) => void;
  /** Looks at the program again after so many milliseconds. */
  again: (name: string, ms: number) => void;
  /** Another look would find no more, unless somebody tells of a change. */
  rests: (name: string) => void;
  /** What a look found has been written down. */
  observed: (name: string) => void;
  /** Told of every pass, where somebody wants to know; what they keep must be masked. */
  onPass?: (pass: PassRecord) => void;
  /** Called when a program is no more. */
  onForgotten: (name: string) => void;
}

/**
 * Looks at one program: reads what is wanted and what is, decides, acts, writes the status, until there is
 * nothing left to do now. Rejects with whatever went wrong; the caller decides when to try again.
 */
export async function reconcile(deps: ReconcileDeps, name: string): Promise<void> {
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    if (!(await onePass(deps, name))) return;
  }
  deps.again(name, 0);
}

/** @returns whether something was done, or learnt, so that the world has to be looked at again */
async function onePass(deps: ReconcileDeps, name: string): Promise<boolean> {
  const { registry, clock } = deps;
  deps.begins(name);
  const wanted = registry.wanted(name);
  const known = registry.status.get(name);
  if (known === undefined && wanted.kind !== 'present') {
    // A pass that failed before it could write a ledger may have held one.
    deps.ports.forget(name);
    refuseSwap(deps, name);
    return false;
  }
  const before = await swapState(
    deps,
    await remembered(deps, wanted, known ?? emptyStatus(name, clock.now())),
  );
  // As it is now: a call may change it while engine and files are read.
  const taken = deps.onPass === undefined ? wanted : structuredClone(wanted);
  const wish = goalOf(wanted, before.memory, before.observedGeneration, deps.runtime);
  const { volume, inForce } = before.memory.program;
  if (isFetchedAnew(inForce, wish.memory.program.inForce)) deps.images.leave(name);
  if (volume !== undefined && wish.memory.program.volume === undefined)
    await trashState(deps, before, volume);
  const trouble = deps.engineTrouble();
  if (trouble !== '') {
    await save(deps, statusWithoutEngine(before, wish, trouble, clock.now(), deps.paused(name)));
    return false;
  }
  await leaveImages(deps, before);
  const { situation, facts } = await observe(deps, before, wish);
  deps.saw(name, [...situation.containers, ...situation.strangers]);
  // What is told once is told when it is noted, which is at the resume of one that is paused.
  if (situation.paused === undefined) {
    await tellOfUntold(deps, before, situation);
    await tellOfStrangers(deps, before, situation);
  }
  const context = contextOf(deps, before, wanted, wish);
  const { runtime, onPass } = deps;
  const trace =
    onPass &&
    ((decided: Decided) => onPass({ name, before, wanted: taken, runtime, facts, context, decided }));
  const given = { ...before, observedGeneration: wish.generation };
  return (
    (await gaveUp(deps, given, situation, trace)) || decide(deps, before, wish, situation, context, trace)
  );
}

/** What is paused waits for no build or pull; what nobody waits for is stopped, and begun anew at the resume. */
async function leaveImages(deps: ReconcileDeps, status: ProgramStatus): Promise<void> {
  const { name } = status;
  if (deps.paused(name) === undefined || deps.images.keysOf(name).length === 0) return;
  deps.images.leave(name);
  await emit(deps, status, { type: 'Normal', reason: 'BuildCancelled', message: 'it was paused' });
}

/** Decides, tells of it, writes it down and does it. */
async function decide(
  deps: ReconcileDeps,
  before: ProgramStatus,
  { goal }: GoalResult,
  situation: Situation,
  context: StatusContext,
  trace: Trace,
): Promise<boolean> {
  const { name } = before;
  const actions = plan(situation);
  const next = statusOf(before, situation, actions, context);
  trace?.(decidedOf(actions, next));
  // The ledger comes before the first engine object, so it has to be on the disk; later ones may lag.
  const isFirst = !deps.registry.status.isDurable(name) && situation.containers.length === 0;
  // Where nothing is to be made, what it comes to is written at once: written over, a file costs ten times a new one.
  if (isFirst && actions.length > 0) await save(deps, before, { isFirst });
  // A host that is killed before the status is written finds the same news at its next start, so none is lost.
  // HEAD may be a later one, which brought other programs.
  const change = isCommitted(before, next)
    ? await deps.lastChange(name, specOf(goal)?.build?.context, next.observedRevision)
    : undefined;
  await Promise.all(eventsBetween(before, next, change).map((event) => emit(deps, next, event)));
  await keepReady(deps, next);
  if (situation.paused === undefined) await keepSuperseded(deps, name, situation);
  await save(deps, next, { isSeen: isFirst && actions.length === 0 });
  deps.observed(name);
  if (situation.paused === undefined) releasePorts(deps, situation);
  watchProbes(deps, next, situation);
  if (isAtRest(situation, actions)) deps.rests(name);
  return (await carryOut(deps, next, situation, actions)) || learntGood(before.memory.rollout, situation);
}

function contextOf(
  { registry }: ReconcileDeps,
  { name, observedRevision }: ProgramStatus,
  wanted: Wanted,
  { goal, problems, generation, missing }: GoalResult,
): StatusContext {
  // A manifest that is missing was last seen in that commit: which one takes it away is judged by it.
  const isThere = wanted.kind === 'present';
  const build = specOf(goal)?.build;
  const commit = isThere ? registry.commitOf(name, build?.context, build?.dockerfile) : observedRevision;
  return { problems, generation, missing, commit, remote: registry.remoteTrouble() };
}

/** Gives back what the program had before: not until its status says so, since that is where it is looked for. */
function releasePorts({ ports }: ReconcileDeps, situation: Situation): void {
  const { name, goal, port, shownPort, portProblem, containers } = situation;
  if (specOf(goal) === undefined) return;
  const running = asRunning(situation);
  const serving = containers.filter(isUp).map(({ publishPort }) => publishPort);
  ports.release(name, ...(portProblem === undefined ? [port] : []), shownPort, ...serving);
  // Said last, since somebody may have to give way for it, to whom this one then gives what it has left.
  ports.setReady(name, running !== undefined && mayMove(running));
}

/** Writes down that the wanted revision had its time; the next pass brings the last good one back. */
async function gaveUp(
  deps: ReconcileDeps,
  before: ProgramStatus,
  situation: Situation,
  trace: Trace,
): Promise<boolean> {
  const deed = givesUp(situation);
  if (deed === undefined) return false;
  const status = withDeed({ ...before, memory: situation.memory }, deed);
  trace?.({ actions: [describeGivingUp(deed)], status });
  await keepFailed(deps, before.name, deed.bad.revision, deed.bad, asRunning(situation)?.current?.id);
  await save(deps, status);
  return true;
}

async function carryOut(
  deps: ReconcileDeps,
  from: ProgramStatus,
  situation: Situation,
  actions: readonly Action[],
): Promise<boolean> {
  const { name } = from;
  let status = from;
  let acted = false;
  for (const action of actions) {
    // Since it was decided: whoever paused it is told by its condition from when on nothing is under way.
    if (deps.paused(name) !== undefined) break;
    if (action.kind === 'wait') {
      deps.again(name, action.ms);
      continue;
    }
    deps.log.info({ program: name }, describe(action));
    acted = true;
    deps.touched(name);
    if (action.kind === 'forget') {
      await forget(deps, status);
      // A manifest that came back meanwhile is that of another program.
      return deps.registry.get(name) !== undefined;
    }
    const outcome = await execute(deps, status, situation, action);
    status = outcome.status;
    if (!outcome.goOn) break;
  }
  if (status !== from) await save(deps, status);
  return acted;
}

/** Removes the ledger and everything kept in memory; the volume goes to the trash. */
async function forget(deps: ReconcileDeps, status: ProgramStatus): Promise<void> {
  const { name, memory } = status;
  const { volume, newest } = memory.program;
  deps.images.leave(name);
  deps.prober.watch(name, undefined);
  if (volume !== undefined) await trashState(deps, status, volume);
  if (volume !== undefined) await tellOfRenamed(deps, status);
  const message = `${describeDeletion(memory)}; its container is gone`;
  await emit(deps, status, { type: 'Normal', reason: 'Deleted', message });
  // Its history stays for the time it may come back; where nothing was ever made of it there is none.
  if (newest === undefined) await deps.registry.events.remove(name);
  await deps.registry.status.remove(name);
  deps.ports.forget(name);
  deps.onForgotten(name);
}

/** Probes the container that serves. */
function watchProbes({ prober }: ReconcileDeps, status: ProgramStatus, situation: Situation): void {
  const { name, stopping, nowMs } = situation;
  const running = asRunning(situation);
  const serving = [running?.current, running?.previous].find(
    (one) => one !== undefined && isUp(one) && !stopping.has(one.id),
  );
  if (running === undefined || serving === undefined || serving.servedPort === 0) {
    prober.watch(name, undefined);
    return;
  }
  const hadMs = hasBeenReady(status, serving) ? Number.POSITIVE_INFINITY : nowMs - serving.startedAtMs;
  prober.watch(name, {
    containerId: serving.id,
    runKey: runKey(serving),
    ...{ port: serving.publishPort, address: serving.address ?? '' },
    startupMs: Math.max(0, running.spec.progressDeadlineSeconds * 1000 - hadMs),
    ...probesFor(running, serving),
  });
}
