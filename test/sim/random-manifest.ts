import { stringify } from 'yaml';
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

/** Whether a program with that environment becomes and stays ready where nobody disturbs it. */
export function behavesWell(env: Record<string, string>): boolean {
  return !['LISTEN', 'STATUS', 'EXIT', 'EXIT_AFTER_MS'].some((key) => key in env);
}

/** Whether it ends by itself, again and again. */
export function exits(env: Record<string, string>): boolean {
  return 'EXIT' in env || 'EXIT_AFTER_MS' in env;
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
