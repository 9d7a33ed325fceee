import { setTimeout as pause } from 'node:timers/promises';
import type { Say } from '../setup/say.ts';
import { createRandom } from '../sim/random.ts';
import { EDITS, makeWhole } from './edits.ts';
import { FAULTS } from './faults.ts';
import { mark, twins, whatIsWrong } from './verdict.ts';
import { openWorld, type World } from './world.ts';

export interface ChaosOptions {
  seed: number;
  /** How long faults go on. */
  ms: number;
  /** It goes on until so many kinds of steps did something: on a busy machine the time alone may be too short. */
  kindsMin?: number;
  programs: number;
  ports: string;
  say: Say;
  /** Ends the run early; all it made goes. */
  signal?: AbortSignal;
}

export interface ChaosReport {
  /** Steps that did something, by kind. */
  counts: Map<string, number>;
  /** What was wrong; empty when everything converged. */
  wrong: string[];
  /** From the last fault until everything was as wanted. */
  convergedMs: number;
  /** What the killed engine had forgotten; see second-engine.ts. */
  forgotten: readonly string[];
}

/** Pause between two steps: three a second, with bursts. */
const PAUSE_MS_MAX = 600;
/** Longest back-off, a build or two, and as much again for a busy machine. */
const CONVERGE_MS_MAX = 180_000;
const LOOK_MS = 500;
const INTERRUPTED = 'the run was interrupted';

/** Plays with a host, its engine and its registry for a while; then everything has to become right by itself. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, programs, ports, say, signal } = options;
  const world = await openWorld(createRandom(seed), ports, programs);
  const report: ChaosReport = { counts: new Map(), wrong: [], convergedMs: 0, forgotten: [] };
  try {
    await world.host.start();
    say(`Seed ${seed}: waiting for ${programs} programs to be ready`);
    report.wrong = await converge(world, signal);
    if (report.wrong.length > 0) return report;
    await mark(world);
    say(`All are; ${Math.round(options.ms / 1000)} s of edits and faults`);
    report.wrong = await play(world, options, report.counts);
    if (report.wrong.length > 0) return report;
    say('The faults stop, the manifests are made whole');
    await calm(world);
    report.forgotten = world.forgotten;
    const start = performance.now();
    report.wrong = await converge(world, signal);
    report.convergedMs = performance.now() - start;
    return report;
  } catch (error) {
    report.wrong.push(`the run broke off: ${(error as Error).stack}`);
    return report;
  } finally {
    if (report.wrong.length > 0) tell(world, report.wrong, say);
    await world.close();
  }
}

async function play(
  world: World,
  { ms, kindsMin = 0, signal }: ChaosOptions,
  counts: Map<string, number>,
): Promise<string[]> {
  const { random, host } = world;
  const steps = [...EDITS, ...FAULTS];
  const end = performance.now() + ms;
  for (let n = 0; performance.now() < end || counts.size < kindsMin; n++) {
    if (signal?.aborted) return [INTERRUPTED];
    const step = random.weighted(steps);
    // The host or the engine may be away: then what was asked of it is refused, and that is all.
    const done = await step.run(world).catch((error: Error) => {
      if (/the host ended at once/.test(error.message)) throw error;
      return false;
    });
    if (done) counts.set(step.kind, (counts.get(step.kind) ?? 0) + 1);
    await world.repair(false);
    if (host.child().hasEnded()) return [`the host ended by itself after: ${step.kind}`];
    if (n % 5 === 0) {
      const found = await twins(world);
      if (found.length > 0) return found;
      await mark(world).catch(() => undefined);
    }
    await pause(random.chance(0.3) ? 0 : random.below(PAUSE_MS_MAX));
  }
  return [];
}

/** No more faults: what was taken away is given back. */
async function calm(world: World): Promise<void> {
  await world.repair(true);
  if (!world.engine.isUp()) await world.engine.start();
  await makeWhole(world);
  await world.dropForgotten();
}

/** Waits until nothing is wrong; gives what still is when the time is over. */
async function converge(world: World, signal?: AbortSignal): Promise<string[]> {
  let wrong: string[] = [];
  for (const end = performance.now() + CONVERGE_MS_MAX; performance.now() < end; await pause(LOOK_MS)) {
    if (signal?.aborted) return [INTERRUPTED, ...wrong];
    if (world.host.child().hasEnded()) return ['the host ended by itself'];
    wrong = await whatIsWrong(world).catch((error: Error) => [`not to be told: ${error.message}`]);
    if (wrong.length === 0) return [];
  }
  return wrong;
}

/** What people need who want to know why: the host's own words about the programs concerned. */
function tell(world: World, wrong: readonly string[], say: Say): void {
  const names = wrong.map((line) => line.split(':')[0]);
  const lines = world.host.log();
  const about = lines.filter(({ program }) => names.includes(String(program))).slice(-60);
  const serious = lines.filter(({ level = 0 }) => level >= 50).slice(-10);
  for (const line of [...serious, ...about, ...lines.slice(-15)]) say(JSON.stringify(line));
  for (const line of world.host.child().stderr().split('\n').slice(-10)) say(line);
}
