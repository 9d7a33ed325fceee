import { type Container, hashOf, isRunOf, isUp, revisionOf, runKey } from '../../schemas/container.ts';
import type { Facts, Need, ProbeState } from '../../schemas/facts.ts';
import { exitOf } from '../../schemas/last-exit.ts';
import { type ProgramMemory, withProgram, withRest } from '../../schemas/memory.ts';
import { type ProgramSpec, timestamp } from '../../schemas/program.ts';
import { imageOf, keyOf, madeOf } from '../../schemas/revision.ts';
import { type Overtaken, type Situation, specOf } from '../../schemas/situation.ts';
import { attemptOf, revisionHash, specHash } from '../../schemas/spec-hash.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { sourcesOf } from '../../schemas/trashed-volume.ts';
import { afterExit, forgetEnd } from './after-exit.ts';
import { ask, Lacking } from './ask.ts';
import type { GoalResult } from './goal.ts';
import {
  afterFailedImage,
  afterWish,
  awake,
  leftAgain,
  rebuiltMemory,
  withBuild,
  withLateOom,
  withRan,
} from './memory.ts';
import { noteOom } from './out-of-memory.ts';
import { asMade, isMadeOf, noted } from './ownership.ts';
import { notePortLoss } from './port-loss.ts';
import { finishedKey, isLate, isReady, type Running, withRoles } from './roles.ts';
import { comeBack, standIn } from './rollback.ts';
import { withSandboxesTimed } from './sandboxes.ts';
import { stateVolume, withMounted, withStateAsked } from './state.ts';
import { ended, endOf, isAccounted, nowReady, wanted } from './transitions.ts';
import { clampWaits } from './waits.ts';
import { afterPull, imageKeyOf, imageState, noteImage, withKeptImage } from './wanted-image.ts';

/** What is to be made of the facts, or what is lacking for that: to be read, and added to them. */
export type Learnt = { situation: Situation } | { need: Need };

/**
 * The one place where memory changes because of what a look found; what the host itself did comes in by
 * `afterDeed`. Pure: the same of the same, without an engine, a clock or a file.
 * @param before the status as it was written last
 */
export function learn(before: ProgramStatus, wish: GoalResult, facts: Facts): Learnt {
  try {
    return { situation: look(before, wish, facts) };
  } catch (lacking) {
    if (lacking instanceof Lacking) return { need: lacking.need };
    throw lacking;
  }
}

function look(before: ProgramStatus, { goal, memory }: GoalResult, facts: Facts): Situation {
  const { containers, pending, port } = facts;
  const spec = specOf(goal);
  const isNew = spec !== undefined && memory.program.newest === undefined;
  const kept = isNew ? ask(facts, { kind: 'kept', userId: spec.userId }).revisions : [];
  const rebuilt = isNew ? rebuiltMemory(memory, containers, kept) : memory;
  const known = withStateAsked(isNew ? withMounted(rebuilt, containers, spec.userId) : rebuilt);
  // Before anything is made of its containers: one whose port is lost is none that is wanted.
  const seen = goal.kind === 'run' ? notePortLoss(noted(known, facts), facts) : noted(known, facts);
  const situation: Situation = {
    ...{ ...facts, ...port, name: before.name, goal, imageKey: '', buildId: '' },
    ...{ stopping: new Set(facts.stopping), probes: probesOf(before, facts) },
    image: { kind: goal.kind !== 'run' && pending.length > 0 ? 'pending' : 'unneeded' },
    memory: clampWaits(withRan(seen, containers), facts.nowMs),
    ...(facts.paused && { asWished: memory }),
    ...{ rollback: undefined, rolloutMs: 0, lastExit: withLateOom(before.lastExit, containers) },
  };
  if (goal.kind === 'stop') return withSandboxesTimed(stopped(situation));
  return goal.kind === 'run' ? withSandboxesTimed(withReadySeen(running(situation, goal.spec))) : situation;
}

/**
 * What is learnt of a run while it is paused: what was ready is what to come back to. It may be down, and another be
 * wanted, by the time of the resume; then no look would ever learn it.
 */
function withReadySeen(learnt: Running): Running {
  const { asWished, memory } = learnt;
  const { good } = memory.rollout;
  // A ledger that was lost is made good as a whole, at the resume.
  if (asWished?.program.newest === undefined || good === undefined) return learnt;
  return { ...learnt, asWished: { ...asWished, rollout: nowReady(asWished.rollout, good) } };
}

/**
 * What the probes say; where they said nothing yet of a run that was Ready when this host, or one before it,
 * looked last, it counts as Ready still: a restart of the host is no news about the program.
 */
function probesOf(before: ProgramStatus, facts: Facts): ReadonlyMap<string, ProbeState> {
  const states = new Map(Object.entries(facts.probes));
  const { state, containerId: id, startedAt } = before;
  const wasReady = facts.containers.some(
    (one) => state === 'Ready' && one.id === id && timestamp(one.startedAtMs) === startedAt,
  );
  const known = states.get(id) ?? { ready: undefined, live: undefined, message: '' };
  return wasReady && known.ready === undefined ? states.set(id, { ...known, ready: true }) : states;
}

/** What is to be stopped, and may be up still. */
function stopped(situation: Situation): Situation {
  const { memory, asWished, containers } = situation;
  // What ended while it was paused was to end, whatever is wanted by the resume.
  const isOver = asWished !== undefined && !containers.some(isUp);
  return {
    ...situation,
    // What is started again after a stop has its whole time again.
    ...{ timed: {}, memory: atRest(memory, containers) },
    ...(isOver && { asWished: atRest(asWished, containers) }),
  };
}

/** Exits that happen while the program should be stopped are nobody's fault, and what goes then is not missed later. */
function atRest(memory: ProgramMemory, containers: readonly Container[]): ProgramMemory {
  const last = containers.filter((one) => one.startedAtMs > 0 && !isUp(one)).at(-1);
  const known = withRest(last === undefined ? memory : ended(memory, last, 'asked'), { why: 'asked' });
  const { served: _, ...program } = known.program;
  return containers.length > 0 ? known : { ...known, program };
}

function running(base: Situation, spec: ProgramSpec): Running {
  const looked = imageKeyOf(base, spec);
  const key = (looked.image.kind === 'unknown' && finishedKey(base, spec)) || looked;
  const wished = withWish({ ...base, ...key }, spec);
  const { failure, nowMs, containers } = base;
  const failed = failure ? afterFailedImage(wished.memory, failure, nowMs) : wished.memory;
  const memory = awake(withBuild(afterPull(failed, base), wished.buildId), containers);
  const asked = { ...wished, memory };
  const noticed = withKeptImage({ ...asked, image: imageState(asked) });
  const overtaken = overtakenOf(noticed);
  return withState(served(withStandIn(overtaken === undefined ? noticed : { ...noticed, overtaken })));
}

/** With the volume of a container that can be made, where the program has none yet. */
function withState(situation: Running): Running {
  const { name, memory, current, image, spec, nowMs } = situation;
  const { volume, inForce } = memory.program;
  if (volume !== undefined || current !== undefined || image.kind !== 'present') return situation;
  const { userId } = spec;
  const from = inForce?.stateFrom;
  const { facts } = ask(situation, { kind: 'state', userId, from });
  const asking = { name, userId, sources: sourcesOf(inForce?.rawSpec), from, nowMs };
  return { ...situation, state: stateVolume(asking, facts) };
}

/** What is learnt from the container that serves, or did. */
function served(situation: Running): Running {
  const { current, spec, imageKey } = situation;
  const timed = current ? withRollout(situation, current, attemptOf(spec, imageKey)) : situation;
  const made = { ...timed, memory: noteImage(timed) };
  const ready = { ...made, memory: noteReady(made) };
  const known = { ...ready, memory: noteServed(ready) };
  return accountForExit({ ...known, memory: noteOom(known) });
}

/** Where the wanted attempt was rolled back, the goal is the one that came back. */
function withWish(situation: Situation, spec: ProgramSpec): Running {
  const { memory: before, imageKey, image, port, nowMs } = situation;
  // Which attempt is wanted can not be told without its sources: then it is the one that was last.
  const isKnown = image.kind !== 'unknown';
  const rollout = isKnown ? wanted(before.rollout, attemptOf(spec, imageKey), nowMs) : before.rollout;
  const memory = { ...before, rollout };
  if (rollout.verdict === 'bad') {
    const { revision: bad, reason, message, nextAt, good } = rollout;
    const told = `${message}${nextAt === undefined ? '' : `; tried again at ${nextAt}`}`;
    // What comes back is under its own policy, not that of the bad one.
    const left = { ...situation, memory: forgetEnd(memory, good.spec) };
    return comeBack(left, good, { bad, reason, message: told });
  }
  const known = forgetEnd(memory, spec);
  const asked = isKnown ? afterWish(known, specHash(spec, imageKey, port)) : known;
  return withRoles({ ...situation, memory: asked }, spec);
}

/**
 * What there is while the wanted one can not be had, where it is newer than the last that is known to be good; with
 * its revision, where that is really its own.
 */
function overtakenOf(situation: Running): Overtaken | undefined {
  const { current, shown: container, rollback, memory } = situation;
  // One that is made and does not run yet leaves the time to see that the one before it is ready.
  if (rollback !== undefined || container === undefined || container === current) return undefined;
  const number = revisionOf(container);
  if (number <= (memory.rollout.good?.revision ?? 0)) return undefined;
  const { revision } = ask(situation, { kind: 'revision', number });
  if (revision === undefined) return undefined;
  const spec = asMade(revision.spec, container);
  // What could not be written leaves the revision of an earlier life under its number.
  const isIts = isMadeOf(container, spec, keyOf(revision));
  return isIts ? { container, revision: { ...revision, spec } } : undefined;
}

/** See `standIn`: only where the engine still has its image, or it can be made again of what it was made of. */
function withStandIn(situation: Running): Running {
  const { timed, late } = withLate(situation);
  const found = standIn(timed, late);
  if (found === undefined) return timed;
  // Where the wanted port is somebody else's, the one that comes back has its own.
  const { spec } = found;
  const held = situation.portProblem === undefined ? situation : ask(situation, { kind: 'port', spec }).port;
  if (held.portProblem !== undefined) return timed;
  const { port, shownPort, portProblem } = held;
  const other = withRoles({ ...found, port, shownPort, portProblem, yields: undefined }, spec);
  const image = imageState(other);
  if (image.kind === 'unknown') return timed;
  if (image.kind !== 'absent' && image.kind !== 'pending') return { ...other, image };
  // Where the wanted one may yet be made, the two would take turns to fail.
  const { build } = spec;
  const mayBuild = situation.image.kind === 'unknown' && build !== null;
  const isKept = mayBuild && ask(situation, { kind: 'snapshot', build, hash: other.imageKey }).isKept;
  return isKept ? { ...other, image } : timed;
}

/** The one that was overtaken before it was ready, where it has had its time. */
function withLate(situation: Running): { timed: Running; late?: Container } {
  const { container, revision } = situation.overtaken ?? {};
  if (container === undefined || revision === undefined || revision.outcome === 'Ready')
    return { timed: situation };
  const timed = withRollout(situation, container, attemptOf(revision.spec, keyOf(revision)));
  const isOut = isLate(situation, container, revision.spec, timed.rolloutMs);
  return { timed: { ...timed, rolloutMs: 0 }, ...(isOut && { late: container }) };
}

/** With how long a container of that attempt has had to become ready: one that is known to be good, in this run. */
function withRollout(situation: Running, container: Container, attempt: string): Running {
  if (container.startedAtMs === 0) return situation;
  const { good } = situation.memory.rollout;
  const isGood = good !== undefined && attemptOf(good.spec, good.imageKey) === attempt;
  const key = isGood ? `${attempt} ${runKey(container)}` : attempt;
  const sinceStartMs = isUp(container) ? Math.max(0, situation.nowMs - container.startedAtMs) : 0;
  const rolloutMs = situation.rollouts[key] ?? sinceStartMs;
  return { ...situation, rolloutMs, timed: { ...situation.timed, [key]: rolloutMs } };
}

/** Remembers what is ready as the one to come back to: the wanted revision, or the one that serves in its place. */
function noteReady(situation: Running): ProgramMemory {
  const { memory, imageKey, buildId, rollback, overtaken, current, spec } = situation;
  if (rollback !== undefined) return memory;
  const hash = revisionHash(spec, imageKey);
  const number = current === undefined ? 0 : revisionOf(current);
  // A ledger that could not be written knows nothing of the newest revision; the container made for it does.
  const isNewest = number > (memory.program.newest?.number ?? 0);
  const image = imageOf({ spec, imageId: current?.imageId ?? '' });
  const numbered = isNewest ? withProgram(memory, { newest: { number, hash, ...image } }) : memory;
  const made = { revision: number || 1, hash, imageKey, buildId, spec, ...image };
  const isNow = current !== undefined && isReady(situation, current, spec);
  const rollout = isNow ? nowReady(memory.rollout, made) : memory.rollout;
  // A ledger that was lost is made good from the container that runs.
  const newest = numbered.program.newest ?? { number: made.revision, hash, ...image };
  const known = rollout === memory.rollout ? numbered : withProgram({ ...numbered, rollout }, { newest });
  // It may have taken longer than its successor, and is ready as its own revision has it.
  const isOlder = overtaken !== undefined && isReady(situation, overtaken.container, overtaken.revision.spec);
  if (!isOlder) return known;
  const { container, revision } = overtaken;
  const older = madeOf({ ...revision, imageId: container.imageId });
  return { ...known, rollout: nowReady(known.rollout, older) };
}

/** Remembers how the engine describes the container that serves when it, or one of its settings, is first seen. */
function noteServed({ memory, shown }: Running): ProgramMemory {
  if (shown === undefined || !isUp(shown)) return memory;
  const { id } = shown;
  const before = memory.containers[id];
  const settings = { ...shown.settings, ...before?.settings };
  const containers = { ...memory.containers, [id]: { ...before, settings } };
  return withProgram({ ...memory, containers }, { served: { id, removed: false } });
}

/** Notices that the program ended by itself, with its last words. */
function accountForExit(situation: Running): Running {
  const { memory, stopping, lastExit, current, previous } = situation;
  const one = current !== undefined && current.startedAtMs > 0 ? current : previous;
  if (one === undefined || one.startedAtMs === 0 || isUp(one) || stopping.has(one.id)) return situation;
  if (isAccounted(memory, one)) return { ...situation, memory: leftAgain(memory, one) };
  const { id: containerId, finishedAtMs } = one;
  // Without the words of its earlier runs. When this one began is written down a moment after its first words.
  const sinceMs = isRunOf(lastExit?.run, one) ? Date.parse(lastExit?.finishedAt ?? '') || 0 : 0;
  const run = runKey(one);
  const { tail, wasDown } = ask(situation, { kind: 'end', containerId, run, sinceMs, finishedAtMs });
  const hash = hashOf(one) || situation.specHash;
  const after = afterExit(memory, one, situation.spec, hash, situation.nowMs, wasDown);
  // What somebody started by hand of what was stopped by wish is nothing to come back to, where another is wanted.
  const { rest } = memory.program;
  const next = one !== current && rest?.why === 'asked' ? withRest(after, rest) : after;
  const ends = [endOf(memory, one), endOf(next, one)];
  const why = ends.find((end) => end === 'unhealthy' || end === 'withEngine');
  // While it was paused that was seen, with its words, and not taken into account.
  const isSeen = lastExit?.run === run;
  return { ...situation, memory: next, lastExit: isSeen ? lastExit : exitOf(one, tail, why) };
}
