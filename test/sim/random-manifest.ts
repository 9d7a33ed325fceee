import { stringify } from 'yaml';
import type { ProgramSpec } from '../../schemas/program.ts';
import type { Random } from './random.ts';

/** What a program does, in the words of the simulated world. */
const BEHAVIOURS = [
  { weight: 10, env: {} },
  { weight: 2, env: { LISTEN_AFTER_MS: '3000' } },
  { weight: 2, env: { IGNORE_TERM: '1' } },
  { weight: 1, env: { LISTEN: '0' } },
  { weight: 1, env: { STATUS: '500' } },
  { weight: 1, env: { EXIT: '3' } },
  { weight: 1, env: { EXIT_AFTER_MS: '4000' } },
  { weight: 1, env: { EXIT: '0' } },
] as const;

export type Spec = Record<string, unknown>;

/**
 * What becomes of a program where nobody disturbs it: it gets ready and stays so, gets ready and ends or is
 * restarted again and again, never gets ready and runs on, or never gets ready and ends again and again.
 */
export type Fate = 'serves' | 'flickers' | 'hangs' | 'crashes';

export function fateOf({ env, readiness, liveness }: ProgramSpec): Fate {
  if ('EXIT_AFTER_MS' in env) return 'flickers';
  // One that ends at once runs for an instant, which is all that is asked of it where there is no probe.
  if ('EXIT' in env) return readiness.kind === 'none' ? 'flickers' : 'crashes';
  if (!('LISTEN' in env) && !('STATUS' in env)) return 'serves';
  const isLeftAlone = liveness.kind === 'none';
  if (readiness.kind === 'none') return isLeftAlone ? 'serves' : 'flickers';
  return isLeftAlone ? 'hangs' : 'crashes';
}

/** Whether it comes to an end that its restartPolicy leaves it at, where nobody disturbs it. */
export function finishes(spec: ProgramSpec): boolean {
  if (!['flickers', 'crashes'].includes(fateOf(spec))) return false;
  return spec.restartPolicy === 'Never' || (spec.restartPolicy === 'OnFailure' && spec.env.EXIT === '0');
}

/** Whether the simulated engine can build it, given a network. */
export function isBuildable(dockerfile: string): boolean {
  return !/^(NONSENSE|RUN exit 1)$/m.test(dockerfile);
}

/** Whether an image of that name can be had. */
export function isKnownImage(reference: string): boolean {
  return reference === 'plain:1' || reference === 'plain:2';
}

/** @param version makes it differ from every other */
export function randomSpec(random: Random, name: string, version: number): Spec {
  const spec: Spec = { userId: `user-${name.toLowerCase()}` };
  if (random.chance(0.2)) spec.image = random.pick(['plain:1', 'plain:2', 'nowhere:1']);
  else spec.build = { context: `sources/${name.toLowerCase()}` };
  const { env } = random.weighted(BEHAVIOURS);
  spec.env = random.chance(0.8) ? { ...env, VERSION: String(version) } : env;
  if (random.chance(0.15)) spec.desiredState = 'Stopped';
  if (random.chance(0.2)) spec.restartPolicy = random.pick(['OnFailure', 'Never']);
  if (random.chance(0.15)) spec.publishPort = random.pick([19_001, 19_003, 19_005, 20_001]);
  if (random.chance(0.5)) spec.stopGracePeriodSeconds = random.pick([1, 3]);
  spec.progressDeadlineSeconds = random.pick([5, 10, 20]);
  if (random.chance(0.15)) spec.liveness = { path: '/watcher/status', periodSeconds: 2, failureThreshold: 2 };
  if (random.chance(0.1)) spec.readiness = { none: true };
  if (random.chance(0.2)) spec.resources = { memory: random.pick(['64Mi', '1Gi']), cpus: 2, pids: 100 };
  return spec;
}

export function manifestOf(name: string, spec: Spec): string {
  return stringify({ apiVersion: 'hersh.dev/v1', kind: 'Program', metadata: { name }, spec });
}

/** The same manifest with something wrong about it. */
export function spoil(random: Random, name: string, text: string): string {
  return random.pick<() => string>([
    () => text.slice(0, random.below(text.length)),
    () => `${text}  : [unclosed\n`,
    () => text.replace('userId', 'userld'),
    () => text.replace('spec:', 'spec:\n  publishPort: 80'),
    () => text.replace(`name: ${name}`, 'name: somebody-else'),
    () => '',
    () => '\u0000\u0001\ufffd',
  ])();
}

/** A Dockerfile of the simulated engine's kind. @returns it, and whether it can be built with a network */
export function randomDockerfile(random: Random, version: number): string {
  const head = `FROM scratch\nENV BUILD=${version}\n`;
  return random.weighted([
    { weight: 8, text: head },
    { weight: 2, text: `${head}RUN sleep 3\n` },
    { weight: 2, text: `FROM base\n# ${version}\n` },
    { weight: 1, text: `${head}NONSENSE\n` },
    { weight: 1, text: `${head}RUN exit 1\n` },
    { weight: 1, text: `${head}RUN fetch it\n` },
  ]).text;
}
