import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CollectLimits } from '../../controller/collect/collectable.ts';
import type { PassRecord } from '../../controller/trace/pass.ts';
import type { RegistryOptions } from '../../registry/registry.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { isProgramsOwn } from './copies.ts';
import { createSimWorld, SIM_IMAGE_BYTES, type SimContainer, type SimWorld } from './engine-world.ts';
import { createSimHost, type SimHost, type SimHostOptions, type Step } from './host.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { disk } from './mortal-files.ts';
import { advance, filesAtRest } from './pace.ts';
import { createRandom, type Random } from './random.ts';
import { createWitness, type Witness } from './witness.ts';

/** The names programs have: few, so that they meet. Upper case comes of a clash alone. */
export const NAMES = ['p1', 'p2', 'p3', 'p4', 'p5'] as const;
export const PORT_RANGE = { min: 19_001, max: 19_012 };
/** Calls that only look are given up after the first, all others after the second, see docker-client.ts. */
const LOOK_MS = 15_000;
const CALL_MS = 120_000;
/** What could not be written is so by then: each program is looked at within a minute. */
const WRITTEN_MS = 70_000;
/** Then the process of a host that was told to end ends, see main.ts. */
const CLOSE_MS_MAX = 4_000;
/** What a hint of a changed file waits for, as the real watch does. */
const HINT_MS = 51;

/** How badly calls, events and hints go at present; probabilities. */
export interface Weather {
  callsBreak: number;
  callsRefuse: number;
  callsHang: number;
  callMsMax: number;
  removalsFail: number;
  removalMsMax: number;
  eventsLost: number;
  eventsDoubled: number;
  eventsLate: number;
  hintsLost: number;
}

export const FAIR: Weather = {
  ...{ callsBreak: 0, callsRefuse: 0, callsHang: 0, callMsMax: 0, removalsFail: 0, removalMsMax: 0 },
  ...{ eventsLost: 0, eventsDoubled: 0, eventsLate: 0, hintsLost: 0 },
};

/** A registry, an engine and a clock, hosts that come and go on them, and somebody who means ill. */
export interface SimStage {
  /** Chooses the steps. */
  readonly random: Random;
  readonly world: SimWorld;
  readonly clock: ManualClock;
  readonly root: string;
  readonly weather: Weather;
  readonly setup: SimSetup;
  /** Undefined while none runs. */
  host: SimHost | undefined;
  /** Counts edits: each text and time of change differs from all others. */
  version: number;
  /** Sees what really happens. */
  readonly witness: Witness;
  /** Moves the wall clock alone. */
  wallOffsetMs: number;
  /** When that last happened, on the other clock. */
  jumpedMs: number | undefined;
  /** Steps until the host dies; 0: it lives. */
  deathIn: number;
  /** Manifests that were removed by hand and may come back. */
  readonly attic: Map<string, string>;
  /** Names whose ledger was lost or damaged. */
  readonly damaged: Set<string>;
  /** Manifests that were half written, whole. */
  readonly begun: Map<string, string>;
  /** Top folders of the registry that have no room. */
  readonly full: Set<string>;
  /** There was a time when `data/` had no room: a revision or an outcome that could not be written is not later either. */
  dataWasFull: boolean;
  /** When there was room again, on the monotonic clock. */
  freedMs: number;
  /** A host ended while there was no room, or just after: what it could not write is lost. */
  wasFull: boolean;
  /** Something else than the host is at work on the engine. */
  meddling: boolean;
  /** So many calls are under way that confirm what is missing, and that strays go. */
  pruning: number;
  /** Containers that somebody else started or changed, and when last, on the monotonic clock. */
  readonly meddled: Map<string, number>;
  /** Containers that somebody changed, and when the program began as its ledger said then. */
  readonly drifted: Map<string, string>;
  /** What somebody has paused, and the call was answered; `""` is the host. */
  readonly paused: Set<string>;
  /** Calls of users that have no answer yet. */
  openCalls: number;
  /** What each host has logged, the present one last. */
  readonly logs: SimHost['log'][];
  /** What was seen that must never be. */
  readonly violations: string[];
  /** Told of each step of the host before it is made. */
  onStep: (step: Step) => void;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Ends in good order. */
  stop(): Promise<void>;
  /** Lets time pass, with or without a host; one that was to die is gone afterwards. */
  advance(ms: number): Promise<void>;
  /** Tells the host, unless the hint is lost, that a file changed. */
  hint(path: string): void;
  /** Does something to the engine that is not the host's doing. */
  meddle(work: () => void): void;
  /** The programs' own: what somebody copied of them is none. */
  containers(name?: string): SimContainer[];
  end(): Promise<void>;
}

/** What hosts are started with. */
export type SimSetup = Pick<SimHostOptions, 'sandboxed' | 'spares'>;

export async function createSimStage(
  seed: number,
  onPass?: (pass: PassRecord) => void,
  setup: SimSetup = {},
): Promise<SimStage> {
  const random = createRandom(seed);
  // Of its own, so that what the host asks for does not change what is done to it.
  const noise = createRandom(seed ^ 0x5bd1e995);
  const ticks = createManualClock();
  const clock: ManualClock = { ...ticks, now: () => ticks.now() + stage.wallOffsetMs };
  const world = createSimWorld(clock);
  const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const root = await disk.mkdtemp(join(folder, 'hersh-sim-'));
  await disk.mkdir(join(root, 'programs'));
  const hints = new Set<(paths: ReadonlySet<string>) => void>();
  let dying: Promise<void> | undefined;

  const watchFiles: RegistryOptions['watchFiles'] = (_root, _ignored, hostClock, onHint) => {
    const tell = (paths: ReadonlySet<string>): void => {
      const ms = HINT_MS + (noise.chance(stage.weather.eventsLate) ? noise.below(3_000) : 0);
      hostClock.after(ms, () => hints.has(tell) && onHint(paths));
    };
    hints.add(tell);
    return { refresh: async () => undefined, close: async () => void hints.delete(tell) };
  };

  const weather = { ...FAIR };
  // Short enough for a story, but for those that are about other things.
  const collect = noise.pick<Partial<CollectLimits>>([
    {},
    { graceMs: 2_000, trashMs: 5_000 },
    { graceMs: 20_000, trashMs: 60_000 },
    { diskBytes: 3 * SIM_IMAGE_BYTES },
  ]);
  world.callMs = () => (weather.callMsMax === 0 ? 0 : noise.below(weather.callMsMax));
  world.fault = (method) => {
    if (noise.chance(weather.callsBreak)) return noise.pick(['before', 'after']);
    if (noise.chance(weather.callsRefuse)) return 'refuse';
    // What may take as long as it likes is not given up, see docker-client.ts.
    const isPatient = method === 'build' || method === 'pull';
    return !isPatient && noise.chance(weather.callsHang) ? noise.pick(['lost', 'hung']) : 'none';
  };
  world.patienceMs = (method) => (/^(ping|info|list|inspect|logs)/.test(method) ? LOOK_MS : CALL_MS);
  world.removalMs = () => (weather.removalMsMax === 0 ? 0 : noise.below(weather.removalMsMax));
  world.removalFails = () => noise.chance(weather.removalsFail);
  world.eventFate = () => {
    if (noise.chance(weather.eventsLost)) return 'lose';
    if (noise.chance(weather.eventsDoubled)) return 'double';
    return noise.chance(weather.eventsLate) ? noise.below(3_000) : 'deliver';
  };

  function gone(): void {
    stage.host = undefined;
    if (stage.full.size > 0 || clock.monotonic() - stage.freedMs < WRITTEN_MS) stage.wasFull = true;
  }

  const stage: SimStage = {
    ...{ random, world, clock, root, weather, setup },
    ...{ host: undefined, version: 0, wallOffsetMs: 0, jumpedMs: undefined, deathIn: 0, openCalls: 0 },
    ...{
      meddling: false,
      pruning: 0,
      dataWasFull: false,
      freedMs: Number.NEGATIVE_INFINITY,
      wasFull: false,
    },
    ...{
      attic: new Map(),
      begun: new Map(),
      full: new Set(),
      damaged: new Set(),
      paused: new Set(),
      meddled: new Map(),
      drifted: new Map(),
      logs: [],
      violations: [],
    },
    get witness() {
      return witness;
    },
    onStep: () => undefined,
    async start() {
      dying = undefined;
      stage.openCalls = 0;
      stage.pruning = 0;
      let died = (): void => undefined;
      const death = new Promise<undefined>((resolve) => {
        died = () => resolve(undefined);
      });
      const begun = createSimHost({
        ...{ world, clock, root, portRange: PORT_RANGE, watchFiles, collect, identity: fixedIdentity() },
        ...setup,
        ...(onPass === undefined ? {} : { onPass }),
        disk: {
          isFull: (path) => stage.full.has(path.split('/', 1)[0] ?? ''),
          leavesHalf: () => noise.chance(0.5),
        },
        onStep(step, host) {
          witness.onStep(step);
          if (step.moment === 'before') stage.onStep(step);
          if (stage.deathIn === 0 || --stage.deathIn > 0) return;
          dying = host.kill();
          died();
        },
      });
      // It can die before it has quite begun.
      stage.host = await Promise.race([begun, death]);
      if (stage.host !== undefined) {
        witness.follow(stage.host);
        stage.logs.push(stage.host.log);
      }
      await filesAtRest();
    },
    async kill() {
      await stage.host?.kill();
      gone();
    },
    async stop() {
      const { host } = stage;
      stage.deathIn = 0;
      let closed = false;
      void host?.close().then(() => {
        closed = true;
      });
      // Closing waits for what is under way, which takes the clock's time; the process does not wait for ever.
      for (let waitedMs = 0; host !== undefined && !closed && waitedMs < CLOSE_MS_MAX; waitedMs += 100)
        await advance(clock, 100);
      if (!closed) await host?.kill();
      gone();
    },
    async advance(ms) {
      await advance(clock, ms);
      if (dying === undefined) return;
      await dying;
      dying = undefined;
      gone();
    },
    hint(path) {
      if (noise.chance(weather.hintsLost)) return;
      for (const tell of hints) tell(new Set([path]));
    },
    meddle(work) {
      stage.meddling = true;
      try {
        work();
      } finally {
        stage.meddling = false;
      }
    },
    containers: (name) =>
      [...world.containers.values()].filter(
        (one) => isProgramsOwn(one) && (name === undefined || one.facts.program === name),
      ),
    async end() {
      await stage.kill();
      await disk.rm(root, { recursive: true, force: true });
    },
  };
  const witness = createWitness(stage);
  return stage;
}
