import { type Config, readConfig } from '../../../controller/config.ts';
import { brokenFilesOf } from '../../../controller/credentials/credentials.ts';
import { publishedPorts } from '../../../controller/engine/docker/survey.ts';
import { withHint } from '../../../schemas/errors.ts';
import type { HostView } from '../../../schemas/host-view.ts';
import type { Host } from '../host/host.ts';
import type { Io } from '../io/io.ts';
import { checkEngine, checkRuntimes } from './engine.ts';
import { type Finding, failed, ok, warning } from './finding.ts';
import { checkHost } from './host.ts';
import { checkDisk, checkGit, checkNode, checkPorts } from './machine.ts';
import { checkRegistry } from './registry.ts';
import { runCommand } from './run-command.ts';

export interface DoctorOptions {
  /** As they would be typed for the host. */
  settings: readonly string[];
  /** Of this command. */
  version: string;
  isRemote: boolean;
}

/** Looks at all that a host needs, and at the host. Changes nothing. */
export async function examine(io: Io, host: Host, options: DoctorOptions): Promise<Finding[]> {
  const { findings, view } = await checkHost(host.client, host.server, options.version);
  if (!options.isRemote) return [...findings, ...(await examineHere(io, options, view))];
  // Nothing else is known of it.
  return view === undefined ? findings.map((one) => ({ ...one, status: 'failed' as const })) : findings;
}

async function examineHere(
  io: Io,
  { settings }: DoctorOptions,
  view: HostView | undefined,
): Promise<Finding[]> {
  let config: Config;
  try {
    const read = readConfig(settings, io.env as NodeJS.ProcessEnv);
    if (read === 'help') return [];
    config = read;
  } catch (error) {
    return [failed('settings', withHint(error), 'Mend what is typed, or the variable of that name.')];
  }
  // What runs says it better than the environment of whoever asks.
  const isNamed = settings.includes('--registry');
  const root = isNamed ? config.registry : (view?.registry ?? config.registry);
  const { runtime } = config;
  const { findings: ofRegistry, isInGit } = await checkRegistry(io, root, {
    ...{ runtime, answers: view !== undefined },
  });
  const dockerHost = io.env.DOCKER_HOST || undefined;
  const { findings: ofEngine, survey } = await checkEngine(dockerHost);
  const held = survey && (await publishedPorts(dockerHost).catch(() => undefined));
  return [
    checkNode(process.version),
    await checkGit(runCommand, isInGit),
    ...ofEngine,
    ...(survey === undefined ? [] : await checkRuntimes(survey, runtime, runCommand)),
    ...(survey?.isHere === true ? [await checkDisk('engine-disk', survey.dataFolder, FREE_ENGINE)] : []),
    await checkDisk('registry-disk', root, `du -sh ${root}/* says what takes it; free some of it.`),
    await checkPorts(view?.ports ?? config.portRange, held),
    ...ofRegistry,
    ...(await checkCredentials(config)),
  ];
}

const FREE_ENGINE =
  'docker system df says what takes it; docker builder prune, or start the host with --disk-limit.';

async function checkCredentials({ credentials }: Config): Promise<Finding[]> {
  if (credentials.all === undefined && credentials.byUser.size === 0) return [];
  const broken = await brokenFilesOf(credentials);
  if (broken.length === 0) return [ok('credentials', 'the files of logins can be read')];
  return broken.map((message) => warning('credentials', message, 'docker login writes such a file.'));
}
