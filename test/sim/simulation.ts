import { createHash } from 'node:crypto';
import type { PassRecord } from '../../controller/trace/pass.ts';
import { calm, complaints, leftFiles } from './convergence.ts';
import { meddleWithCopies } from './copies.ts';
import { ENGINE_STEPS, HOST_STEPS } from './engine-steps.ts';
import { endManifest, FILE_STEPS, freeDisk, putProgramsBack } from './file-steps.ts';
import type { SimHost } from './host.ts';
import { type Invariants, watchInvariants } from './invariants.ts';
import { pauseSomething, resumeAll } from './pausing.ts';
import { createRandom } from './random.ts';
import { meddleWithSandboxes } from './sandbox-steps.ts';
import { createSimStage, FAIR, type SimSetup, type SimStage } from './sim-stage.ts';
import type { SimStep } from './sim-step.ts';
import { USER_STEPS } from './user-steps.ts';

/** Simulated time in which all has to be as the manifests want it, once nothing goes wrong any more. */
const CONVERGE_MS_MAX = 300_000;
const LOOK_MS = 2_000;
/** Longer than the time between two whole looks: afterwards nothing may have been done. */
const SETTLED_MS = 10_000;
const REST_MS = 70_000;
/** Of what the hosts logged, told of a story that ended badly. */
const LOG_LINES = 400;
/** Time between two steps. */
const WAITS = [0, 0, 10, 100, 500, 2_000, 5_000, 12_000] as const;

/** How often somebody pauses or resumes, likewise. */
const PAUSED = 0.05;

/** How often somebody copies a container, beside all else: the stories of old seeds stay what they were. */
const COPIED = 0.06;

/** And does something to a sandbox, where there are any. */
const HIT = 0.15;

const STEPS: readonly SimStep[] = [...USER_STEPS, ...FILE_STEPS, ...ENGINE_STEPS, ...HOST_STEPS];

export interface SimOutcome {
  seed: number;
  /** What was done, in order. */
  story: string[];
  /** Equal for equal runs. */
  digest: string;
  /** What must never be and was, or what did not come about; `""` where all went well. */
  failure: string;
}

/**
 * One story of a registry, its host and all that can go wrong around them. Then nothing goes wrong any more, and
 * everything has to become as the manifests want it.
 * @param onPass told of what each host saw and decided
 */
export async function simulate(
  seed: number,
  steps: number,
  onPass?: (pass: PassRecord) => void,
  setup: SimSetup = {},
): Promise<SimOutcome> {
  const stage = await createSimStage(seed, onPass, setup);
  const story: string[] = [];
  const tell = (line: string): void => {
    story.push(`${(stage.clock.monotonic() / 1000).toFixed(3).padStart(9)} s  ${line}`);
  };
  let failure = '';
  try {
    const invariants = await watchInvariants(stage);
    await stage.start();
    const copying = createRandom(seed ^ 0x2545f491);
    const hitting = createRandom(seed ^ 0x3c6ef372);
    const pausing = createRandom(seed ^ 0x6c8e9cf5);
    for (let step = 0; step < steps; step++) {
      const words = copying.chance(COPIED) ? meddleWithCopies(stage, copying) : '';
      if (words !== '') tell(words);
      const held = pausing.chance(PAUSED) ? await pauseSomething(stage, pausing) : '';
      if (held !== '') tell(held);
      const isHit = setup.sandboxed === true && hitting.chance(HIT);
      const hit = isHit ? meddleWithSandboxes(stage, hitting) : '';
      if (hit !== '') tell(hit);
      await oneStep(stage, invariants, tell);
    }
    tell('nothing goes wrong any more');
    await calmDown(stage, tell);
    await converge(stage, invariants);
    await startAnew(stage, invariants, tell);
    await rest(stage, invariants);
    await prune(stage, invariants);
  } catch (error) {
    failure = error instanceof Error ? `${error.message}${stackOf(error)}` : String(error);
    tell(`FAILED: ${failure}`);
    tellState(stage, tell);
  } finally {
    await stage.end();
  }
  const digest = createHash('sha256').update(story.join('\n')).digest('hex').slice(0, 16);
  return { seed, story, digest, failure };
}

async function oneStep(stage: SimStage, invariants: Invariants, tell: (line: string) => void): Promise<void> {
  let words = '';
  for (let tries = 0; words === '' && tries < 20; tries++)
    words = await stage.random.weighted(STEPS).act(stage);
  tell(words);
  stage.witness.look('step');
  const lived = stage.host !== undefined;
  await stage.advance(stage.random.pick(WAITS));
  if (lived && stage.host === undefined) tell('the host was killed');
  invariants.check();
}

/** Takes away all that is wrong around the host, and sees to it that one runs. */
async function calmDown(stage: SimStage, tell: (line: string) => void): Promise<void> {
  const { world, weather } = stage;
  Object.assign(weather, FAIR);
  stage.deathIn = 0;
  world.comeBack();
  world.thaw();
  world.networkDown = false;
  world.diskFull = false;
  world.foreignPorts.clear();
  freeDisk(stage);
  await putProgramsBack(stage);
  while (stage.begun.size > 0) await endManifest(stage);
  stage.witness.look('step');
  await stage.advance(0);
  if (stage.host === undefined) {
    await stage.start();
    tell('a host starts');
  }
  await resumeAll(stage);
}

async function converge(stage: SimStage, invariants: Invariants): Promise<void> {
  let open: string[] = [];
  for (let waitedMs = 0; waitedMs <= CONVERGE_MS_MAX; waitedMs += LOOK_MS) {
    await stage.advance(LOOK_MS);
    invariants.check();
    open = await complaints(stage, hostOf(stage));
    if (open.length === 0) return;
  }
  throw new Error(`not as wanted within ${CONVERGE_MS_MAX / 1000} s: ${open.join('; ')}`);
}

/** A host that comes after another one knows all that the other knew, and finds nothing to do. */
async function startAnew(
  stage: SimStage,
  invariants: Invariants,
  tell: (line: string) => void,
): Promise<void> {
  // A look may still wait for sources to stand still, of which nothing can be seen.
  await stage.advance(SETTLED_MS);
  await converge(stage, invariants);
  const names = calm(stage, hostOf(stage));
  if (stage.random.chance(0.5)) await stage.kill();
  else await stage.stop();
  await stage.start();
  tell('another host follows');
  await converge(stage, invariants);
  mustNotTouch(names, hostOf(stage).calls);
  const left = leftFiles(stage);
  if (left.length > 0) throw new Error(left.join('; '));
}

function mustNotTouch(names: readonly string[], calls: readonly string[]): void {
  const done = calls.filter((call) =>
    names.some((name) => new RegExp(`hersh-program-${name}(-|$)`).test(call)),
  );
  if (done.length > 0)
    throw new Error(`all was as wanted, and yet it went on: ${done.slice(0, 5).join('; ')}`);
}

/** What is as wanted is let alone. */
async function rest(stage: SimStage, invariants: Invariants): Promise<void> {
  const host = hostOf(stage);
  // A drift of whose event nothing was heard is found within a minute.
  await stage.advance(62_000);
  const done = host.calls.length;
  const names = calm(stage, host);
  await stage.advance(REST_MS);
  invariants.check();
  mustNotTouch(names, host.calls.slice(done));
  const open = await complaints(stage, host);
  if (open.length > 0) throw new Error(`it did not stay as wanted: ${open.join('; ')}`);
  if (names.length === host.registry.status.names().length && (await depth(host)) > 0)
    throw new Error('the queue does not become empty');
}

function hostOf({ host }: SimStage): SimHost {
  if (host === undefined) throw new Error('no host runs');
  return host;
}

async function depth({ metrics }: SimHost): Promise<number> {
  const { body } = await metrics.text();
  return Number(/^\S*queue_depth\S* (\d+)/m.exec(body)?.[1] ?? 0);
}

/** What was kept until somebody confirms goes when somebody does, and strays with it. */
async function prune(stage: SimStage, invariants: Invariants): Promise<void> {
  const host = hostOf(stage);
  stage.pruning += 1;
  void host.programs.confirmPrune();
  await stage.advance(15_000);
  invariants.check();
  const { missing } = { missing: host.registry.missing() };
  const strays = host.controller.health().strays.map(({ name }) => name);
  if (missing.length + strays.length > 0)
    throw new Error(`confirmed, and still there: ${[...missing, ...strays].join(', ')}`);
}

function tellState(stage: SimStage, tell: (line: string) => void): void {
  for (const { facts } of stage.containers()) {
    const { name, state, publishPort, exitCode, labels } = facts;
    const joins = facts.sandbox === undefined ? '' : ` in ${facts.sandbox.id.slice(-8)}`;
    tell(
      `  ${name} ${state} ${exitCode} port ${publishPort} revision ${labels['dev.hersh.revision']}${joins}`,
    );
  }
  for (const { facts, runs } of stage.world.sandboxes.all.values())
    tell(`  ${facts.name} ${facts.state} port ${facts.publishPort}, run ${runs}`);
  for (const name of stage.host?.registry.status.names() ?? []) {
    const { conditions, ...status } = stage.host?.registry.status.get(name) ?? { conditions: [] };
    tell(`  ${name} ${JSON.stringify(status)}`);
  }
  const lines = stage.logs.flat().slice(-LOG_LINES);
  for (const { atMs, level, message, fields } of lines)
    tell(`  ${(atMs / 1000).toFixed(3)} ${level} ${message} ${JSON.stringify(fields)}`);
}

function stackOf(error: Error): string {
  return error.name === 'Error' || error.name === 'AssertionError' ? '' : `\n${error.stack}`;
}
