import type { BuildContext } from '../../registry/contexts/contexts.ts';
import { SourcesHeld } from '../../registry/git/sources-held.ts';
import { builtFrom } from '../../schemas/build-id.ts';
import type { Clock } from '../../schemas/clock.ts';
import { byAge, type Container, revisionOf, type Sandbox } from '../../schemas/container.ts';
import { AppError, withHint } from '../../schemas/errors.ts';
import {
  type Answer,
  type ContextState,
  type Facts,
  type Need,
  needKey,
  type ProbeState,
  type StateFacts,
} from '../../schemas/facts.ts';
import { nanosOfMs } from '../../schemas/log-piece.ts';
import type { ProgramMemory } from '../../schemas/memory.ts';
import type { Paused } from '../../schemas/pause.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import type { Revision } from '../../schemas/revision.ts';
import { type Situation, specOf } from '../../schemas/situation.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Engine } from '../engine/engine.ts';
import type { ImageTasks } from '../images/once-an-image.ts';
import { holdPort, keepPort } from '../ports/hold.ts';
import type { Ports } from '../ports/ports.ts';
import type { GoalResult } from '../program/goal.ts';
import { learn } from '../program/learn.ts';
import { isInDoubt, type Papers, toldApart } from '../program/ownership.ts';
import type { RolloutTimer } from './rollout-timer.ts';

/** Lines of output that go into the status of a program that crashed. */
const TAIL_LINES = 10;
const LINE_CHARACTERS_MAX = 200;
/** More than one look can need: asking on would never end. */
const NEEDS_MAX = 20;

export interface ObserveDeps {
  engine: Engine;
  images: ImageTasks;
  ports: Ports;
  rollouts: RolloutTimer;
  clock: Clock;
  /** Whether programs of runc have network sandboxes. */
  sandboxed: boolean;
  /** Why a program is left alone; undefined where it is not. */
  paused: (name: string) => Paused | undefined;
  /** The context's hash, perhaps from a look of a few seconds ago. */
  lookAtContext: (build: BuildSpec, generation: number) => Promise<BuildContext>;
  /** See `ContextCache.olderHash`. */
  olderHash: (build: BuildSpec, hash: string) => Promise<string | undefined>;
  /** Whether a program has no containers, by what is known without asking the engine. */
  hasNone: (name: string) => boolean;
  /** Whether engine or machine were down at a time, or just going down. Epoch milliseconds. */
  wasDown: (atMs: number) => boolean;
  /** Whether what was built under that hash is kept, so that it can be built again without its sources. */
  hasSnapshot: (build: BuildSpec, hash: string) => Promise<boolean>;
  stopping: (name: string) => ReadonlySet<string>;
  probes: (name: string) => ReadonlyMap<string, ProbeState>;
  containerName: (name: string) => string;
  /** The revisions kept under the name, oldest first, where they were this user's. */
  keptRevisions: (name: string, userId: string) => Promise<readonly Revision[]>;
  /** Which volumes there are, see `stateFacts`. */
  stateFacts: (name: string, userId: string, from: string | undefined) => Promise<StateFacts>;
  /** A revision as it is kept. */
  revision: (name: string, number: number) => Promise<Revision | undefined>;
}

/**
 * Reads engine and files for one program, and what `learn` asks for beyond that, until it has made up its mind.
 * No rule stands here. Rejects `EngineUnavailable`.
 * @returns with the facts that it came to its mind by
 */
export async function observe(
  deps: ObserveDeps,
  before: ProgramStatus,
  wish: GoalResult,
): Promise<{ situation: Situation; facts: Facts }> {
  let facts = await read(deps, before, wish);
  for (let needs = 0; needs < NEEDS_MAX; needs++) {
    const learnt = learn(before, wish, facts);
    if ('situation' in learnt) {
      const { timed, rollouts } = learnt.situation;
      deps.rollouts.note(before.name, timed ?? rollouts);
      return { ...learnt, facts };
    }
    const answer = await answerTo(deps, before, facts.containers, learnt.need);
    facts = { ...facts, answers: { ...facts.answers, [needKey(learnt.need)]: answer } };
  }
  throw new Error(`a look at ${before.name} did not come to an end`);
}

/** What every look reads. */
async function read(
  deps: ObserveDeps,
  before: ProgramStatus,
  { goal, memory, generation }: GoalResult,
): Promise<Facts> {
  const { name } = before;
  const isBare = goal.kind === 'stop' && before.containerId === '' && isEmpty(memory.containers);
  const {
    own: containers,
    strangers,
    adopted,
  } = isBare && deps.hasNone(name) ? toldApart(memory, [], {}) : await readContainers(deps, name, memory);
  const seen = {
    ...{ containers, strangers, adopted, containerName: deps.containerName(name), nowMs: deps.clock.now() },
    stopping: [...deps.stopping(name)],
    probes: Object.fromEntries(deps.probes(name)),
  };
  // An engine of a machine that there are none for is as if there were to be none.
  const sandboxed = deps.sandboxed && (await deps.engine.hasSandboxes());
  const sandboxes = await readSandboxes(deps.engine, sandboxed, name, containers);
  const paused = deps.paused(name);
  const spec = specOf(goal);
  deps.ports.pins.set(name, spec?.publishPort ?? undefined);
  const port =
    spec === undefined
      ? keepPort(deps.ports, before, containers)
      : await holdPort(deps.ports, before, spec, containers);
  const build = goal.kind === 'run' ? goal.spec.build : null;
  const context = build === null ? undefined : await contextOf(deps, build, generation);
  // Together, so that what has ended between them is seen as running or as failed.
  const { failure, pulled } = goal.kind === 'run' ? deps.images.takeOutcome(name) : {};
  return {
    ...{ ...seen, port, answers: {} },
    ...(sandboxed && { sandboxed: true as const }),
    ...(sandboxes.length > 0 && { sandboxes }),
    ...(paused !== undefined && { paused }),
    ...(context !== undefined && { context }),
    ...(failure !== undefined && { failure }),
    ...(pulled !== undefined && { pulled }),
    pending: deps.images.keysOf(name),
    rollouts: deps.rollouts.elapsed(name),
  };
}

const isEmpty = (of: object) => Object.keys(of).length === 0;

/** What bears the program's labels, told apart before anything goes by it: ports, probes, what is started and removed. */
async function readContainers(
  { engine, revision }: ObserveDeps,
  name: string,
  memory: ProgramMemory,
): Promise<ReturnType<typeof toldApart>> {
  const summaries = await engine.listContainers(name);
  const inspected = await Promise.all(summaries.map(({ id }) => engine.inspectContainer(id)));
  const containers = inspected.filter((container) => container !== undefined).sort(byAge);
  const papers: Record<string, Papers> = {};
  for (const one of containers.filter((each) => isInDoubt(memory, each))) {
    const kept = await revision(name, revisionOf(one));
    const image = await engine.inspectImage(one.imageId);
    papers[one.id] = { ...(kept && { revision: kept }), ...(image && { imageLabels: image.labels }) };
  }
  return toldApart(memory, containers, papers);
}

/** Where programs have none any more, those of a host before this one are known by what joins them. */
async function readSandboxes(
  engine: Engine,
  sandboxed: boolean,
  name: string,
  containers: readonly Container[],
): Promise<readonly Sandbox[]> {
  const mayBe = sandboxed || containers.some(({ sandbox }) => sandbox !== undefined);
  return mayBe ? engine.listSandboxes(name) : [];
}

async function contextOf(deps: ObserveDeps, build: BuildSpec, generation: number): Promise<ContextState> {
  try {
    const { hash, buildId } = await deps.lookAtContext(build, generation);
    return { kind: 'known', hash, buildId };
  } catch (error) {
    const held = error instanceof SourcesHeld;
    if (!(error instanceof AppError) || !(held || error.reason === 'BuildFailed')) throw error;
    return { kind: 'unknown', reason: error.reason, message: withHint(error), held };
  }
}

async function answerTo(
  deps: ObserveDeps,
  before: ProgramStatus,
  containers: readonly Container[],
  need: Need,
): Promise<Answer> {
  const { name } = before;
  const { kind } = need;
  switch (kind) {
    case 'kept':
      return { kind, revisions: await deps.keptRevisions(name, need.userId) };
    case 'revision': {
      const revision = await deps.revision(name, need.number);
      return { kind, ...(revision !== undefined && { revision }) };
    }
    case 'image': {
      const image = await deps.engine.inspectImage(need.tag);
      const usable = image !== undefined && (!need.isBuild || builtFrom(image.labels) === need.imageKey);
      return { kind, id: usable ? image.id : '' };
    }
    case 'port':
      return { kind, port: await holdPort(deps.ports, before, need.spec, containers) };
    case 'state':
      return { kind, facts: await deps.stateFacts(name, need.userId, need.from) };
    case 'snapshot':
      return { kind, isKept: await deps.hasSnapshot(need.build, need.hash) };
    case 'olderHash':
      return { kind, hash: await deps.olderHash(need.build, need.hash) };
    case 'end': {
      const tailing = tailOf(deps.engine, need.containerId, TAIL_LINES, need.sinceMs);
      // An engine that goes down ends its containers: what it did itself is looked at when it is back.
      const [tail] = await Promise.all([tailing, deps.engine.ping()]);
      return { kind, tail, wasDown: deps.wasDown(need.finishedAtMs) };
    }
  }
}

/**
 * The last lines of a container's output, `""` where they can not be had.
 * @param sinceMs of which time on, epoch milliseconds; 0 for all
 */
export async function tailOf(engine: Engine, id: string, lines: number, sinceMs = 0): Promise<string> {
  const { signal } = new AbortController();
  const options = { tail: lines, sinceNanos: nanosOfMs(sinceMs), follow: false, signal };
  try {
    const chunks: Uint8Array[] = [];
    for await (const { bytes } of await engine.logs(id, options)) chunks.push(bytes);
    return Buffer.concat(chunks)
      .toString('utf8')
      .trimEnd()
      .slice(-LINE_CHARACTERS_MAX * lines);
  } catch {
    return '';
  }
}
