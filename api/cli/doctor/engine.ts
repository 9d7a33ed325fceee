import { hasSandboxes } from '../../../controller/engine/docker/ensure-sandbox-image.ts';
import { type EngineSurvey, surveyEngine } from '../../../controller/engine/docker/survey.ts';
import { AppError, codeOf, messageOf } from '../../../schemas/errors.ts';
import type { Runtime } from '../../../schemas/program.ts';
import { type Finding, failed, ok, warning } from './finding.ts';
import type { RunCommand } from './run-command.ts';

/** The oldest engine that knows API 1.41. */
const ENGINE_MIN = 20.1;

/** What the engine is. @returns also what was seen, where it answers */
export async function checkEngine(
  dockerHost: string | undefined,
): Promise<{ findings: Finding[]; survey?: EngineSurvey }> {
  try {
    const survey = await surveyEngine(dockerHost);
    return { findings: describeEngine(survey), survey };
  } catch (error) {
    const hint = error instanceof AppError ? (error.hint ?? '') : '';
    return { findings: [failed('engine', messageOf(error), mendEngine(error, hint))] };
  }
}

function mendEngine(error: unknown, hint: string): string {
  const code = codeOf(error instanceof Error ? error.cause : undefined);
  if (code === 'EACCES' || code === 'EPERM')
    return `sudo usermod -aG docker "$USER", and log in again. ${hint}`;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return `sudo systemctl start docker. ${hint}`;
  return hint || 'Look at DOCKER_HOST, and at: docker info';
}

/** Pure. */
export function describeEngine(survey: EngineSurvey): Finding[] {
  const { version, storageDriver, cgroupVersion, cgroupDriver, lacks } = survey;
  const isOld = Number.parseFloat(version) < ENGINE_MIN;
  return [
    isOld
      ? failed('engine', `Docker ${version} is too old: 20.10 is the oldest that works`, 'Update the engine.')
      : ok('engine', `Docker ${version} answers`),
    storageDriver === 'vfs'
      ? warning(
          'storage',
          'images are kept by vfs, which copies each layer whole: slow, and much disk',
          'Set "storage-driver": "overlay2" in /etc/docker/daemon.json; images are pulled and built anew.',
        )
      : ok('storage', `images are kept by ${storageDriver}`),
    lacks.length > 0
      ? failed(
          'cgroup',
          `version ${cgroupVersion} by ${cgroupDriver}: the kernel holds no limit of ${lacks.join(', ')}`,
          'Have the kernel mount these cgroup controllers (docker info says which are missing).',
        )
      : ok('cgroup', `version ${cgroupVersion} by ${cgroupDriver}: memory, CPU and processes are limited`),
    describeSandboxes(survey),
  ];
}

/** Whose network outlives its container with `--sandbox on`. Pure. */
function describeSandboxes({ machine, runtimes }: EngineSurvey): Finding {
  if (!hasSandboxes(machine))
    return warning(
      'sandbox',
      `there are no network sandboxes for ${machine || 'this machine'}: also with --sandbox on, each container has a network of its own`,
      'Nothing has to be done: a start takes as long as without them.',
    );
  // No trial: the host has no program for gVisor that answers, and what one showed would hold for that version alone.
  const own = runtimes.has('runsc')
    ? '; under runsc each container has its own, since gVisor takes the address off a network that it leaves'
    : '';
  return ok('sandbox', `with --sandbox on, programs under runc keep their network over restarts${own}`);
}

/** Which runtimes there are, and whether gVisor's is one that starts. @param runtime of programs that name none */
export async function checkRuntimes(
  { runtimes, isHere }: EngineSurvey,
  runtime: Runtime,
  run: RunCommand,
): Promise<Finding[]> {
  const names = [...runtimes.keys()].join(', ');
  const found = runtimes.has(runtime)
    ? ok('runtime', `${runtime}, of ${names}`)
    : failed(
        'runtime',
        `programs run under ${runtime}, and the engine has ${names || 'none'}`,
        runtime === 'runsc' ? ADD_GVISOR : 'Start the host with --runtime of one that there is.',
      );
  const path = runtimes.get('runsc');
  if (path === undefined)
    return [found, warning('gvisor', 'runtime: runsc is not there for programs that ask for it', ADD_GVISOR)];
  if (!isHere) return [found, ok('gvisor', 'runsc is registered; whether it starts is not seen from here')];
  const { code, output } = await run([path || 'runsc', '--version']);
  const version = output.split('\n')[0] ?? '';
  if (code === 0) return [found, ok('gvisor', `${version}, registered`)];
  const why = `runsc is registered as ${path || 'runsc'}, and does not start: ${version || `code ${code}`}`;
  return [found, failed('gvisor', why, ADD_GVISOR)];
}

const ADD_GVISOR =
  'Install gVisor (https://gvisor.dev/docs/user_guide/install/), then: sudo runsc install && sudo systemctl reload docker';
