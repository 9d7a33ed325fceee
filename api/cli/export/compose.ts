import { environmentOf, PROGRAM_PORT, type ProbeSpec, type ProgramSpec } from '../../../schemas/program.ts';
import { type Exported, imageOf, STATE_DIR } from './exported.ts';

const RESTART = { Always: 'always', OnFailure: 'on-failure', Never: 'no' } as const;

/**
 * Programs as one Compose file: the same contract as the host makes a container with, so far as Compose can say it.
 * @returns the file as data, and what has to be said of it
 */
export function composeOf(programs: readonly Exported[]): { file: Record<string, unknown>; notes: string[] } {
  const services = Object.fromEntries(programs.map((one) => [one.name, serviceOf(one)]));
  const volumes = Object.fromEntries(programs.map(({ name }) => [`${name}-state`, {}]));
  // Each alone, so that programs do not reach each other.
  const networks = Object.fromEntries(programs.map(({ name }) => [name, {}]));
  return { file: { services, networks, volumes }, notes: programs.flatMap(notesOf) };
}

function serviceOf(program: Exported): Record<string, unknown> {
  const { name, spec, labels, port } = program;
  const { build, resources } = spec;
  const escaped = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, literal(value)]));
  return {
    image: imageOf(program),
    ...(build !== null && {
      build: {
        context: `./${build.context}`,
        dockerfile: build.dockerfile,
        ...(Object.keys(build.args).length > 0 && { args: escaped(build.args) }),
      },
      pull_policy: 'build',
    }),
    ...(spec.pullPolicy === 'Always' && build === null && { pull_policy: 'always' }),
    ...(spec.command && { entrypoint: spec.command.map(literal) }),
    // An entrypoint of one's own takes the image's CMD along.
    ...(spec.args && { command: spec.args.map(literal) }),
    environment: escaped(environmentOf(spec, name)),
    ...(Object.keys(labels).length > 0 && { labels: escaped(labels) }),
    ports: [`127.0.0.1:${port > 0 ? `${port}:` : ':'}${PROGRAM_PORT}`],
    networks: [name],
    volumes: [`${name}-state:${STATE_DIR}`],
    read_only: true,
    tmpfs: closed(spec),
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ipc: 'none',
    init: true,
    ...(spec.runtime === 'runsc' && { runtime: 'runsc' }),
    mem_limit: resources.memoryBytes,
    memswap_limit: resources.memoryBytes,
    cpus: resources.cpus,
    pids_limit: resources.pids,
    restart: spec.desiredState === 'Stopped' ? 'no' : RESTART[spec.restartPolicy],
    stop_grace_period: `${spec.stopGracePeriodSeconds}s`,
    healthcheck: healthCheck(spec.readiness, spec.progressDeadlineSeconds),
    logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
  };
}

/** What the runtimes lay over a read-only root, closed again, as the host does it. */
function closed({ runtime }: ProgramSpec): string[] {
  return runtime === 'runsc'
    ? ['/dev/shm:ro,size=64k', '/tmp:ro,size=64k']
    : ['/dev:ro,dev,nosuid,noexec,size=64k,mode=755'];
}

/** Asked inside the container, by what the image has: the host asks from outside. */
function healthCheck(probe: ProbeSpec, startSeconds: number): Record<string, unknown> {
  if (probe.kind !== 'http') return { disable: true };
  const url = `http://127.0.0.1:${PROGRAM_PORT}${probe.path}`;
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const headers = Object.entries(probe.headers ?? {}).map(([key, value]) => quoted(`${key}: ${value}`));
  const wget = ['wget -q -O /dev/null', ...headers.map((one) => `--header ${one}`), quoted(url)].join(' ');
  const curl = ['curl -fsS -o /dev/null', ...headers.map((one) => `-H ${one}`), quoted(url)].join(' ');
  return {
    test: ['CMD-SHELL', literal(`${wget} || ${curl}`)],
    interval: `${probe.periodSeconds}s`,
    timeout: `${probe.timeoutSeconds}s`,
    retries: probe.failureThreshold,
    start_period: `${startSeconds}s`,
  };
}

/** Compose puts values in for what a dollar begins. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function notesOf({ name, spec, port }: Exported): string[] {
  const notes: string[] = [];
  if (spec.build !== null)
    notes.push(
      `${name}: its sources are ${spec.build.context} of the registry; copy that folder beside the file`,
    );
  if (spec.readiness.kind === 'http')
    notes.push(
      `${name}: its health check needs a shell with wget or curl in the image, and starts nothing anew`,
    );
  if (spec.readiness.kind === 'http' && spec.readiness.expect !== undefined)
    notes.push(`${name}: its health check takes any answer of 2xx, not what readiness.expect names`);
  if (spec.liveness.kind !== 'none') notes.push(`${name}: Compose restarts nothing for its liveness probe`);
  if (port === 0) notes.push(`${name}: it has no port yet; Compose picks one`);
  if (spec.desiredState === 'Stopped')
    notes.push(`${name}: it is to be stopped; "up" starts it all the same`);
  notes.push(`${name}: what it has in ${STATE_DIR} stays here`);
  return notes;
}
