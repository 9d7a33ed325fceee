import { buildIdOf, imageTag } from '../../schemas/build-id.ts';
import { type Container, hashOf, isRunOf, isUp, revisionOf, runKey } from '../../schemas/container.ts';
import { type Answer, type Facts, type Need, needKey, type ProbeState } from '../../schemas/facts.ts';
import { exitOf } from '../../schemas/last-exit.ts';
import { type ProgramMemory, withProgram, withRest } from '../../schemas/memory.ts';
import { type BuildSpec, LABELS, type ProgramSpec, timestamp } from '../../schemas/program.ts';
import { keyOf, madeOf } from '../../schemas/revision.ts';
import { type Overtaken, type Situation, specOf } from '../../schemas/situation.ts';
import { attemptOf, revisionHash, specHash } from '../../schemas/spec-hash.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { GoalResult } from './goal.ts';
import {
  afterExit,
  afterFailedImage,
  afterWish,
  awake,
  forgetEnd,
  leftAgain,
  rebuiltMemory,
  withBuild,
  withLateOom,
} from './memory.ts';
import { noteOom } from './out-of-memory.ts';
import { asMade, isMadeOf, noted } from './ownership.ts';
import { finishedKey, type ImageKey, isLate, isReady, type Running, withRoles } from './roles.ts';
import { comeBack, standIn } from './rollback.ts';
import { ended, endOf, isAccounted, nowReady, wanted } from './verdicts.ts';
import { clampWaits } from './waits.ts';

/** What is to be made of the facts, or what is lacking for that: to be read, and added to them. */
export type Learnt = { situation: Situation } | { need: Need };

/** A fact that a look turns out to need ends it: it is taken up anew when that is there. */
class Lacking {
  constructor(readonly need: Need) {}
}

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

type Of<Kinds, K> = Extract<Kinds, { kind: K }>;

function ask<K extends Need['kind']>({ answers }: Pick<Facts, 'answers'>, need: Of<Need, K>): Of<Answer, K> {
  const answer = answers[needKey(need)];
  if (answer?.kind !== need.kind) throw new Lacking(need);
  return answer as Of<Answer, K>;
}

function look(before: ProgramStatus, { goal, memory }: GoalResult, facts: Facts): Situation {
  const { containers, pending, port } = facts;
  const spec = specOf(goal);
  const isNew = spec !== undefined && memory.program.newest === undefined;
  const kept = isNew ? ask(facts, { kind: 'kept', userId: spec.userId }).revisions : [];
  const known = isNew ? rebuiltMemory(memory, containers, kept) : memory;
  const situation: Situation = {
    ...{ ...facts, ...port, name: before.name, goal, imageKey: '', buildId: '' },
    ...{ stopping: new Set(facts.stopping), probes: probesOf(before, facts) },
    image: { kind: goal.kind !== 'run' && pending.length > 0 ? 'pending' : 'unneeded' },
    memory: clampWaits(noted(known, facts), facts.nowMs),
    ...{ rollback: undefined, rolloutMs: 0, lastExit: withLateOom(before.lastExit, containers) },
  };
  if (goal.kind === 'stop') return stopped(situation);
  return goal.kind === 'run' ? running(situation, goal.spec) : situation;
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

/** Exits that happen while the program should be stopped are nobody's fault, and what goes then is not missed later. */
function stopped(situation: Situation): Situation {
  const { memory, containers } = situation;
  const last = containers.filter((one) => one.startedAtMs > 0 && !isUp(one)).at(-1);
  const known = withRest(last === undefined ? memory : ended(memory, last, 'asked'), { why: 'asked' });
  const { served, ...program } = known.program;
  // What is started again after a stop has its whole time again.
  return { ...situation, timed: {}, memory: containers.length > 0 ? known : { ...known, program } };
}

function running(base: Situation, spec: ProgramSpec): Running {
  const looked = imageKeyOf(base, spec);
  const key = (looked.image.kind === 'unknown' && finishedKey(base, spec)) || looked;
  const wished = withWish({ ...base, ...key }, spec);
  const { failure, nowMs, containers } = base;
  const failed = failure ? afterFailedImage(wished.memory, failure, nowMs) : wished.memory;
  const memory = awake(withBuild(failed, wished.buildId), containers);
  const noticed = { ...wished, memory, image: imageState(wished) };
  const overtaken = overtakenOf(noticed);
  return served(withStandIn(overtaken === undefined ? noticed : { ...noticed, overtaken }));
}

/** What is learnt from the container that serves, or did. */
function served(situation: Running): Running {
  const { current, spec, imageKey } = situation;
  const timed = current ? withRollout(situation, current, attemptOf(spec, imageKey)) : situation;
  const ready = { ...timed, memory: noteReady(timed) };
  const known = { ...ready, memory: noteServed(ready) };
  return accountForExit({ ...known, memory: noteOom(known) });
}

function imageKeyOf(base: Situation, spec: ProgramSpec): ImageKey {
  const image = { kind: 'unneeded' } as const;
  const { context, memory } = base;
  if (spec.build === null || context === undefined) return { imageKey: spec.image ?? '', buildId: '', image };
  if (context.kind === 'known') {
    const imageKey = inFormInUse(base, spec.build, context.hash);
    return { imageKey, buildId: buildIdOf(imageKey), image };
  }
  const { newest } = memory.program;
  if (context.held && newest !== undefined) {
    // What the newest revision was made of, where the spec is still that one's.
    const { revision } = ask(base, { kind: 'revision', number: newest.number });
    const { buildHash: imageKey = '', buildId = '' } = revision ?? {};
    if (revisionHash(spec, imageKey) === newest.hash) return { imageKey, buildId, image };
  }
  const { reason, message } = context;
  return { imageKey: '', buildId: '', image: { kind: 'unknown', reason, message } };
}

/**
 * What an image is known by stays, though today's rules would give it another hash: an update of the host builds
 * nothing anew whose files are what they were.
 */
function inFormInUse(base: Situation, build: BuildSpec, hash: string): string {
  const { memory, containers } = base;
  const { newest } = memory.program;
  if (newest === undefined) return hash;
  const { good } = memory.rollout;
  const inUse = [
    good?.imageKey,
    memory.failedImage?.key,
    ...containers.map(({ labels }) => labels[LABELS.build]),
  ];
  if (inUse.includes(hash)) return hash;
  const older = ask(base, { kind: 'olderHash', build, hash }).hash;
  if (older === undefined || older === hash) return hash;
  if (inUse.includes(older)) return older;
  const { revision } = ask(base, { kind: 'revision', number: newest.number });
  return revision?.buildHash === older ? older : hash;
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

/** Looks for the image only where a container has to be made of it. */
function imageState(situation: Running): Situation['image'] {
  const { imageKey, buildId, image, current, spec } = situation;
  if (image.kind === 'unknown') return image;
  if (situation.pending.includes(imageKey)) return { kind: 'pending' };
  if (current !== undefined) return { kind: 'unneeded' };
  const isBuild = spec.build !== null;
  const tag = isBuild ? imageTag(buildId) : imageKey;
  const { id } = ask(situation, { kind: 'image', imageKey, tag, isBuild });
  return id === '' ? { kind: 'absent' } : { kind: 'present', id };
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
  const numbered = isNewest ? withProgram(memory, { newest: { number, hash } }) : memory;
  const made = { revision: number || 1, hash, imageKey, buildId, spec };
  const isNow = current !== undefined && isReady(situation, current, spec);
  const rollout = isNow ? nowReady(memory.rollout, made) : memory.rollout;
  // A ledger that was lost is made good from the container that runs.
  const newest = numbered.program.newest ?? { number: made.revision, hash };
  const known = rollout === memory.rollout ? numbered : withProgram({ ...numbered, rollout }, { newest });
  // It may have taken longer than its successor, and is ready as its own revision has it.
  const isOlder = overtaken !== undefined && isReady(situation, overtaken.container, overtaken.revision.spec);
  return isOlder ? { ...known, rollout: nowReady(known.rollout, madeOf(overtaken.revision)) } : known;
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
  const next = afterExit(memory, one, situation.spec, hash, situation.nowMs, wasDown);
  const ends = [endOf(memory, one), endOf(next, one)];
  const why = ends.find((end) => end === 'unhealthy' || end === 'withEngine');
  return { ...situation, memory: next, lastExit: exitOf(one, tail, why) };
}
