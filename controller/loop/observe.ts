import type { BuildContext } from '../../registry/contexts/contexts.ts';
import { SourcesHeld } from '../../registry/git/sources-held.ts';
import { buildIdOf, imageTag } from '../../schemas/build-id.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { Container } from '../../schemas/container.ts';
import { AppError, withHint } from '../../schemas/errors.ts';
import {
  type BuildSpec,
  LABELS,
  type LastExit,
  type ProgramMemory,
  type ProgramSpec,
  type ProgramStatus,
  timestamp,
} from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import { revisionHash, specHash } from '../../schemas/spec-hash.ts';
import type { Engine } from '../engine/engine.ts';
import type { ImageTasks } from '../images/tasks.ts';
import { holdPort } from '../ports/hold.ts';
import type { Ports } from '../ports/ports.ts';
import { baselineOf } from '../program/diff.ts';
import type { GoalResult } from '../program/goal.ts';
import {
  afterBuildFailure,
  afterExit,
  afterStop,
  afterWish,
  clampWaits,
  exitOf,
  forgetCrashes,
  forgetEnd,
  isAccounted,
  withLateOom,
} from '../program/memory.ts';
import {
  byAge,
  type ImageState,
  isRunOf,
  isUp,
  type Observed,
  type Overtaken,
  type ProbeState,
  revisionOf,
  runKey,
} from '../program/observed.ts';
import { assignRoles } from '../program/plan.ts';
import { rebuiltMemory } from '../program/rebuild.ts';
import {
  attemptOf,
  forAttempt,
  isLate,
  keyOf,
  noteGood,
  noteServing,
  overtakenBy,
  standIn,
} from '../program/rollback.ts';

/** Lines of output that go into the status of a program that crashed. */
const TAIL_LINES = 10;
const LINE_CHARACTERS_MAX = 200;
/** Ends of a build that say nothing about it. */
const NO_FAILURES: ReadonlySet<string> = new Set(['BuildAborted', 'ContextChanged']);

export interface ObserveDeps {
  engine: Engine;
  images: ImageTasks;
  ports: Ports;
  clock: Clock;
  /** The context's hash, perhaps from a look of a few seconds ago. */
  lookAtContext: (build: BuildSpec, generation: number) => Promise<BuildContext>;
  /** Whether engine or machine were down at a time, or just going down. Epoch milliseconds. */
  wasDown: (atMs: number) => boolean;
  /** Whether what was built under that hash is kept, so that it can be built again without its sources. */
  hasSnapshot: (build: BuildSpec, hash: string) => Promise<boolean>;
  stopping: (name: string) => ReadonlySet<string>;
  probes: (name: string) => ReadonlyMap<string, ProbeState>;
  containerName: (name: string) => string;
  /** The revisions kept under the name, oldest first, where they were this user's. */
  keptRevisions: (name: string, userId: string) => Promise<readonly Revision[]>;
  /** A revision as it is kept. */
  revision: (name: string, number: number) => Promise<Revision | undefined>;
  /**
   * Milliseconds since the attempt's container first ran, by the clock that does not jump.
   * @param sinceStartMs by the other clock: what counts for a container that ran before this host did
   */
  rolloutMs: (name: string, attempt: string, sinceStartMs: number) => number;
}

/** Everything `plan` needs, read from the engine and the files now. Rejects `EngineUnavailable`. */
export async function observe(
  deps: ObserveDeps,
  before: ProgramStatus,
  result: GoalResult,
): Promise<Observed> {
  const { name } = before;
  const { goal } = result;
  const containers = await inspectAll(deps.engine, name);
  const spec = goal.kind === 'run' || goal.kind === 'stop' ? goal.spec : undefined;
  const isNew = spec !== undefined && result.memory.latestRevision === undefined;
  const given = isNew
    ? rebuiltMemory(result.memory, containers, await deps.keptRevisions(name, spec.userId))
    : result.memory;
  const base: Observed = {
    name,
    containerName: deps.containerName(name),
    goal,
    containers,
    imageKey: '',
    buildId: '',
    image: { kind: 'unneeded' },
    port: before.publishPort,
    shownPort: before.publishPort,
    portProblem: undefined,
    stopping: deps.stopping(name),
    probes: probesOf(deps, before, containers),
    memory: clampWaits(given, deps.clock.now()),
    rollback: undefined,
    rolloutMs: 0,
    lastExit: withLateOom(before.lastExit, given.exitSeen, containers),
    nowMs: deps.clock.now(),
  };
  if (spec === undefined) {
    // What a pass held that failed before it could write it down.
    deps.ports.release(name, before.publishPort);
    return { ...base, image: deps.images.pending(name) ? { kind: 'pending' } : base.image };
  }
  const held = await holdPort(deps.ports, before, spec, containers);
  if (goal.kind === 'stop') {
    // What is started again after a stop has its whole time again.
    deps.rolloutMs(name, '', 0);
    return afterWantedStop({ ...base, ...held }, deps.images.pending(name));
  }
  const looked = await imageKeyOf(deps, base, spec, result.generation);
  const key = (looked.image.kind === 'unknown' && finishedKey(base, spec, held.port)) || looked;
  const observed = withGood({ ...base, ...held, ...key }, spec);
  const failure = deps.images.takeFailure(name);
  const memory =
    failure === undefined || NO_FAILURES.has(failure.reason)
      ? observed.memory
      : afterBuildFailure(observed.memory, failure, observed.nowMs);
  const wanted = observed.goal.kind === 'run' ? observed.goal.spec : spec;
  const image = await imageState(deps, observed, wanted);
  const noticed = { ...observed, memory: awake(withBuild(memory, observed.buildId), containers), image };
  const overtaken = await overtakenOf(deps, noticed, wanted);
  const known = { ...noticed, ...(overtaken !== undefined && { overtaken }) };
  const withImage = await withStandIn(deps, known, wanted, before);
  const target = withImage.goal.kind === 'run' ? withImage.goal.spec : wanted;
  const numbered = { ...withImage, memory: noteNumber(withImage, target) };
  const attempt = attemptOf(target, numbered.imageKey);
  const { current } = assignRoles(numbered, target);
  const timed = { ...numbered, rolloutMs: rolloutMs(deps, numbered, current, attempt) };
  const good = { ...timed, memory: noteGood(timed, target) };
  const noted = { ...good, memory: noteServing(good) };
  return accountForExit(deps, { ...noted, memory: noteBaseline(noted, target) }, target);
}

/** See `overtakenBy`. */
async function overtakenOf(
  deps: ObserveDeps,
  observed: Observed,
  wanted: ProgramSpec,
): Promise<Overtaken | undefined> {
  const container = overtakenBy(observed, wanted);
  if (container === undefined) return undefined;
  const revision = await deps.revision(observed.name, revisionOf(container));
  if (revision === undefined) return undefined;
  const { spec } = revision;
  const own = { ...spec, restartedAt: container.labels[LABELS.restartedAt] ?? spec.restartedAt };
  // What could not be written leaves the revision of an earlier life under its number.
  const isIts = specHash(own, keyOf(revision), container.publishPort) === container.labels[LABELS.specHash];
  return isIts ? { container, revision: { ...revision, spec: own } } : undefined;
}

/** What runs does not rest; and what had finished and runs, whoever started it, has not finished. */
function awake(memory: ProgramMemory, containers: readonly Container[]): ProgramMemory {
  const up = containers.filter(isUp);
  const { rests, finished, ...others } = memory;
  const isAgain = up.some((one) => one.labels[LABELS.specHash] === finished?.specHash);
  return {
    ...others,
    ...(rests !== undefined && up.length === 0 && { rests }),
    ...(finished !== undefined && !isAgain && { finished }),
  };
}

/** Notes which build is wanted; changed sources are not kept waiting for what the old ones did. */
function withBuild(memory: ProgramMemory, buildId: string): ProgramMemory {
  if (buildId === '' || buildId === memory.lastBuild) return memory;
  return { ...(memory.lastBuild === undefined ? memory : forgetCrashes(memory)), lastBuild: buildId };
}

async function inspectAll(engine: Engine, name: string): Promise<Container[]> {
  const summaries = await engine.listContainers(name);
  const containers = await Promise.all(summaries.map(({ id }) => engine.inspectContainer(id)));
  return containers.filter((container) => container !== undefined).sort(byAge);
}

/**
 * What the probes say; where they said nothing yet of a run that was Ready when this host, or one before it,
 * looked last, it counts as Ready still: a restart of the host is no news about the program.
 */
function probesOf(
  deps: ObserveDeps,
  before: ProgramStatus,
  containers: readonly Container[],
): ReadonlyMap<string, ProbeState> {
  const states = deps.probes(before.name);
  const adopted = containers.find(
    (one) =>
      before.state === 'Ready' &&
      one.id === before.containerId &&
      timestamp(one.startedAtMs) === before.startedAt &&
      states.get(one.id)?.ready === undefined,
  );
  if (adopted === undefined) return states;
  const state = states.get(adopted.id) ?? { live: undefined, message: '' };
  return new Map([...states, [adopted.id, { ...state, ready: true }]]);
}

/** Where the wanted revision was rolled back, the goal is the one that came back. */
function withGood(observed: Observed, spec: ProgramSpec): Observed {
  // Which attempt is wanted can not be told without its sources: then it is the one that was last.
  const isKnown = observed.image.kind !== 'unknown';
  const memory = isKnown
    ? forAttempt(observed.memory, attemptOf(spec, observed.imageKey), observed.nowMs)
    : observed.memory;
  const { good, rolledBack: bad } = memory;
  if (good === undefined || bad === undefined) {
    const known = forgetEnd(memory, spec);
    const wish = specHash(spec, observed.imageKey, observed.port);
    return { ...observed, memory: isKnown ? afterWish(known, wish) : known };
  }
  const { imageKey, buildId, revision } = good;
  return {
    ...observed,
    // What comes back is under its own policy, not that of the bad one.
    memory: forgetEnd(memory, good.spec),
    goal: { kind: 'run', spec: { ...good.spec, desiredState: 'Running' } },
    imageKey,
    buildId,
    image: { kind: 'unneeded' },
    rollback: {
      ...{ revision, bad: bad.revision, reason: bad.reason },
      message: `${bad.message}${bad.nextAt === undefined ? '' : `; tried again at ${bad.nextAt}`}`,
    },
  };
}

/** A ledger that could not be written knows nothing of the newest revision; the container made for it does. */
function noteNumber(observed: Observed, spec: ProgramSpec): ProgramMemory {
  const { memory, imageKey, rollback } = observed;
  const { current } = assignRoles(observed, spec);
  const number = current === undefined ? 0 : revisionOf(current);
  if (rollback !== undefined || number <= (memory.latestRevision?.number ?? 0)) return memory;
  return { ...memory, latestRevision: { number, hash: revisionHash(spec, imageKey) } };
}

/**
 * Remembers how the engine describes the container that serves when it, or one of its settings, is first seen; of the
 * one that served before it too, since that may come back.
 */
function noteBaseline({ memory, ...rest }: Observed, spec: ProgramSpec): ProgramMemory {
  const { current, previous } = assignRoles({ ...rest, memory }, spec);
  const serving = [current, previous].find((one) => one !== undefined && isUp(one));
  if (serving === undefined) return memory;
  const { id: containerId, settings } = serving;
  const before = baselineOf(memory, containerId)?.settings ?? {};
  const isOther = memory.baseline?.containerId !== containerId;
  if (!isOther && Object.keys(settings).every((setting) => setting in before)) return memory;
  const baseline = { containerId, settings: { ...settings, ...before } };
  if (!isOther) return { ...memory, baseline };
  const { baseline: baselineBefore, ...others } = memory;
  return { ...others, baseline, ...(baselineBefore !== undefined && { baselineBefore }) };
}

/** How long a container has had to become ready: one that is known to be good, in this run. */
function rolloutMs(
  deps: ObserveDeps,
  { name, nowMs, memory: { good } }: Observed,
  container: Container | undefined,
  attempt: string,
): number {
  if (container === undefined || container.startedAtMs === 0) return 0;
  const isGood = good !== undefined && attemptOf(good.spec, good.imageKey) === attempt;
  const rollout = isGood ? `${attempt} ${runKey(container)}` : attempt;
  return deps.rolloutMs(name, rollout, isUp(container) ? nowMs - container.startedAtMs : 0);
}

/** What a program that ran to its end was made of: it needs its sources no more, whatever becomes of them. */
function finishedKey(
  { memory, containers }: Observed,
  spec: ProgramSpec,
  port: number,
): ImageKey | undefined {
  const { finished } = forgetEnd(memory, spec);
  for (const { labels } of finished === undefined ? [] : containers) {
    const imageKey = spec.build === null ? (spec.image ?? '') : (labels[LABELS.build] ?? '');
    const isIt = specHash(spec, imageKey, port) === finished?.specHash;
    if (isIt)
      return {
        imageKey,
        buildId: spec.build === null ? '' : buildIdOf(imageKey),
        image: { kind: 'unneeded' },
      };
  }
  return undefined;
}

type ImageKey = Pick<Observed, 'imageKey' | 'buildId' | 'image'>;

async function imageKeyOf(
  deps: ObserveDeps,
  { name, memory }: Observed,
  spec: ProgramSpec,
  generation: number,
): Promise<ImageKey> {
  const image: ImageState = { kind: 'unneeded' };
  if (spec.build === null) return { imageKey: spec.image ?? '', buildId: '', image };
  try {
    const { hash, buildId } = await deps.lookAtContext(spec.build, generation);
    return { imageKey: hash, buildId, image };
  } catch (error) {
    const isHeld = error instanceof SourcesHeld;
    if (!(error instanceof AppError) || !(isHeld || error.reason === 'BuildFailed')) throw error;
    const made = isHeld ? await madeOf(deps, name, spec, memory) : undefined;
    if (made !== undefined) return { ...made, image };
    const unknown = { kind: 'unknown' as const, reason: error.reason, message: withHint(error) };
    return { imageKey: '', buildId: '', image: unknown };
  }
}

/** What the newest revision was made of, where the spec is still that one's. */
async function madeOf(
  deps: ObserveDeps,
  name: string,
  spec: ProgramSpec,
  { latestRevision }: ProgramMemory,
): Promise<Pick<ImageKey, 'imageKey' | 'buildId'> | undefined> {
  if (latestRevision === undefined) return undefined;
  const { buildHash = '', buildId = '' } = (await deps.revision(name, latestRevision.number)) ?? {};
  return revisionHash(spec, buildHash) === latestRevision.hash ? { imageKey: buildHash, buildId } : undefined;
}

/** Looks for the image only where a container has to be made of it. */
async function imageState(deps: ObserveDeps, observed: Observed, spec: ProgramSpec): Promise<ImageState> {
  if (observed.image.kind === 'unknown') return observed.image;
  if (deps.images.pending(observed.name, observed.imageKey)) return { kind: 'pending' };
  if (assignRoles(observed, spec).current !== undefined) return { kind: 'unneeded' };
  const isBuild = spec.build !== null;
  const image = await deps.engine.inspectImage(isBuild ? imageTag(observed.buildId) : observed.imageKey);
  const usable = image !== undefined && (!isBuild || image.labels[LABELS.build] === observed.imageKey);
  return usable ? { kind: 'present', id: image.id } : { kind: 'absent' };
}

/** One that was overtaken before it was ready, and has had its time. */
function lateOf(deps: ObserveDeps, observed: Observed): Container | undefined {
  const { overtaken } = observed;
  if (overtaken === undefined || overtaken.revision.outcome === 'Ready') return undefined;
  const { container, revision } = overtaken;
  const attempt = attemptOf(revision.spec, keyOf(revision));
  const hadMs = rolloutMs(deps, observed, container, attempt);
  return isLate(observed, container, revision.spec, hadMs) ? container : undefined;
}

/** See `standIn`: only where the engine still has its image, or it can be made again of what it was made of. */
async function withStandIn(
  deps: ObserveDeps,
  observed: Observed,
  wanted: ProgramSpec,
  before: ProgramStatus,
): Promise<Observed> {
  const found = standIn(observed, wanted, lateOf(deps, observed));
  if (found?.goal.kind !== 'run') return observed;
  // Where the wanted port is somebody else's, the one that comes back has its own.
  const { spec } = found.goal;
  const isOnOther = observed.portProblem !== undefined;
  const held = isOnOther ? await holdPort(deps.ports, before, spec, observed.containers) : observed;
  if (held.portProblem !== undefined) return observed;
  const { port, shownPort } = held;
  const other = { ...found, port, shownPort, portProblem: undefined };
  const image = await imageState(deps, other, spec);
  if (image.kind !== 'absent' && image.kind !== 'pending') return { ...other, image };
  // Where the wanted one may yet be made, the two would take turns to fail.
  const { build } = spec;
  const mayBuild = observed.image.kind === 'unknown' && build !== null;
  return mayBuild && (await deps.hasSnapshot(build, other.imageKey)) ? { ...other, image } : observed;
}

/** Exits that happen while the program should be stopped are nobody's fault. */
function afterWantedStop(observed: Observed, pending: boolean): Observed {
  const ended = observed.containers.filter((one) => one.startedAtMs > 0 && !isUp(one)).at(-1);
  const memory = ended === undefined ? withoutBaseline(observed) : afterStop(observed.memory, ended);
  return {
    ...observed,
    memory: { ...memory, rests: true },
    image: pending ? { kind: 'pending' } : observed.image,
  };
}

/** What is gone while it should be stopped is not missed later. */
function withoutBaseline({ memory, containers }: Observed): ProgramMemory {
  if (memory.baseline === undefined || containers.length > 0) return memory;
  const { baseline, baselineBefore, ...rest } = memory;
  return rest;
}

/** Notices that the program ended by itself, with its last words. */
async function accountForExit(deps: ObserveDeps, observed: Observed, spec: ProgramSpec): Promise<Observed> {
  const { engine } = deps;
  const { current, previous, specHash: wantedHash } = assignRoles(observed, spec);
  const served = current !== undefined && current.startedAtMs > 0 ? current : previous;
  if (served === undefined || isUp(served) || observed.stopping.has(served.id)) return observed;
  if (served.startedAtMs === 0 || isAccounted(observed.memory, runKey(served))) return observed;
  // Without the words of its earlier runs. When this one began is written down a moment after its first words.
  const { exitSeen, unhealthyRun } = observed.memory;
  const sinceMs = isRunOf(exitSeen, served.id) ? Date.parse(observed.lastExit?.finishedAt ?? '') : 0;
  const tailing = tailOf(engine, served.id, TAIL_LINES, sinceMs || 0);
  // An engine that goes down ends its containers: what it did itself is looked at when it is back.
  const [tail] = await Promise.all([tailing, engine.ping()]);
  const lastExit: LastExit = exitOf(served, tail, unhealthyRun);
  const hash = served.labels[LABELS.specHash] ?? wantedHash;
  const wasTakenDown = deps.wasDown(served.finishedAtMs);
  const memory = afterExit(observed.memory, served, spec, hash, observed.nowMs, wasTakenDown);
  return { ...observed, memory, lastExit };
}

/**
 * The last lines of a container's output, `""` where they can not be had.
 * @param sinceMs of which time on, epoch milliseconds; 0 for all
 */
export async function tailOf(engine: Engine, id: string, lines: number, sinceMs = 0): Promise<string> {
  const { signal } = new AbortController();
  const options = { tail: lines, sinceSeconds: sinceMs / 1000, follow: false, signal };
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await engine.logs(id, options)) chunks.push(chunk);
    return Buffer.concat(chunks)
      .toString('utf8')
      .trimEnd()
      .slice(-LINE_CHARACTERS_MAX * lines);
  } catch {
    return '';
  }
}
