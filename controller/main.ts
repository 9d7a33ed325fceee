import { readFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { createApi } from '../api/app.ts';
import type { ApiDeps } from '../api/deps.ts';
import { type RunningServer, startServer } from '../api/server.ts';
import { redactUrl } from '../registry/git/follow.ts';
import { openGit } from '../registry/git/git.ts';
import { isMade } from '../registry/make-registry.ts';
import { openRegistry } from '../registry/open-registry.ts';
import { openAuditLog } from '../registry/records/audit-log.ts';
import { openRegistryId } from '../registry/records/registry-id.ts';
import { openWatchRecord } from '../registry/records/unwatched.ts';
import type { Registry } from '../registry/registry.ts';
import { systemClock } from '../schemas/clock.ts';
import { AppError, messageOf } from '../schemas/errors.ts';
import { type Access, openAccess } from './access/open-access.ts';
import { type Config, helpText, readConfig } from './config.ts';
import { brokenFilesOf, createCredentials } from './credentials/credentials.ts';
import { createDockerEngine } from './engine/docker/docker.ts';
import { measured } from './engine/measured.ts';
import { healthOf, troublesOf, warningsOf, withWarnings } from './health.ts';
import { init, type Said } from './init.ts';
import { takeLocks } from './locks.ts';
import { createLog } from './log.ts';
import { type Controller, startController } from './loop/controller.ts';
import { isPortLost } from './loop/knock.ts';
import { probeOnce } from './loop/probe-once.ts';
import { watchEventLoop } from './metrics/event-loop.ts';
import { createFreeBytes } from './metrics/free-bytes.ts';
import { createMetrics } from './metrics.ts';
import { startNotifier } from './notify/notifier.ts';
import { isPortFree } from './ports/ports.ts';
import { runningBuild } from './running-build.ts';
import { createApiDeps } from './serve/api-deps.ts';
import type { AboutHost } from './serve/host-view.ts';
import { onStopSignals, type StopSignal } from './stop-signals.ts';
import { tellSupervisor } from './tell-supervisor.ts';
import { masked } from './trace/mask.ts';
import { startUsage } from './usage/usage.ts';

/** SIGTERM ends the process within 5 s (issue of the host process); this leaves half a second for the last lines. */
const SHUTDOWN_MS_MAX = 4_000;

type Logger = ReturnType<typeof createLog>['log'];
type Close = () => Promise<void>;

/** Waited for by nobody here: the file that all becomes is a function. */
export const started = main();

/** Puts the host together from its parts, and takes it apart again on SIGTERM. The one place that knows them all. */
async function main(): Promise<void> {
  const [command, ...rest] = process.argv.slice(2);
  if (command === 'init') return sayAndExit(await init(rest));
  const config = await configOrExit();
  const { log, writer } = createLog(config.logLevel);
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'a bug of Hersh Host; programs go on and are adopted at the next start');
    process.exit(1);
  });
  try {
    const started = start(config, log, writer.dropped);
    // From the first moment: one that comes while it starts ends it in good order too.
    closeOnSignal(
      () => started.then((close) => close()),
      log,
      (code) => {
        writer.flushSync();
        process.exit(code);
      },
    );
    await started;
  } catch (error) {
    const hint = error instanceof AppError && error.hint !== undefined ? ` ${error.hint}` : '';
    log.fatal({}, `the host can not start: ${messageOf(error)}.${hint}`);
    process.exit(1);
  }
}

async function configOrExit(): Promise<Config> {
  try {
    const config = readConfig(process.argv.slice(2), process.env);
    if (config !== 'help') {
      await refuseUnnamed(config);
      return config;
    }
    process.stdout.write(`${helpText()}\n`);
    process.exit(0);
  } catch (error) {
    const hint = error instanceof AppError && error.hint !== undefined ? `\n${error.hint}` : '';
    process.stderr.write(`${messageOf(error)}${hint}\n`);
    process.exit(2);
  }
}

/** A folder that only happens to be called so is no registry: the sources of the host have one too. */
async function refuseUnnamed({ registry, isRegistryNamed }: Config): Promise<void> {
  if (isRegistryNamed || (await isMade(registry))) return;
  throw new AppError('BadRequest', `no registry is named, and ${registry} is none that init made`, {
    hint: 'Name one with --registry DIR (or HERSH_REGISTRY); hersh-host init DIR makes one (in a checkout: npm start -- init DIR).',
  });
}

function sayAndExit({ code, text }: Said): never {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exit(code);
}

/** Starts the host under its locks, which are given back at its end, and where it can not start. */
async function start(config: Config, log: Logger, logLinesDropped: () => number): Promise<Close> {
  const locks = await takeLocks(config);
  try {
    const close = await startParts(config, log, logLinesDropped);
    return async () => {
      await close();
      await locks.release();
    };
  } catch (error) {
    await locks.release();
    throw error;
  }
}

async function startParts(config: Config, log: Logger, logLinesDropped: () => number): Promise<Close> {
  const { registry: root, instance, runtime } = config;
  const clock = systemClock;
  // Before anything is done: what can not be asked safely is not started.
  const access = await openAccess(config, clock, log);
  const { registry, identity } = await openFiles(config, log);
  const metrics = createMetrics({ logLinesDropped });
  const engine = measured(
    createDockerEngine({ instance, registry: identity, log }),
    clock,
    metrics.engine.called,
  );
  const controller = startController({
    ...{ registry, engine, clock, log, metrics, instance, runtime, isPortFree },
    probes: { once: probeOnce, isPortLost },
    bootedAtMs: Date.now() - uptime() * 1000,
    ...{ portRange: config.portRange, sandboxed: config.sandboxed, spares: config.spares },
    ...{ credentials: createCredentials(config.credentials, clock), buildPolicy: config.buildPolicy },
    collect: { diskBytes: config.diskBytes },
    ...(log.isLevelEnabled('trace') && { onPass: (pass) => log.trace({ pass: masked(pass) }, 'a pass') }),
  });
  const audit = access.source && openAuditLog(registry.paths.data, { onError: onNoAudit(log) });
  const { health, hostWarnings } = createHealth(registry, controller, access);
  const notifier = startNotifier({
    ...{ receivers: config.receivers, secret: config.notifySecret, events: registry.events },
    ...{ clock, log, metrics },
    teller: { host: hostname(), instance },
    troubles: () => troublesOf(registry.health(), registry.remoteTrouble(), controller.health()),
  });
  const gitHook = gitHookOf(config, registry, log);
  const engineTrouble = () => controller.health().trouble;
  const sees = () => engineTrouble() === '';
  const watch = await openWatchRecord(registry.paths.data, clock, sees, onNoSign(log));
  const usage = startUsage({ registry, engine, clock, log, metrics, engineTrouble });
  const about = await aboutHost(config, clock.now());
  metrics.host.watch({
    ...{ ...about, warnings: hostWarnings, freeBytes: createFreeBytes(root, clock) },
    disk: controller.collector.lastFound,
  });
  const deps = await createApiDeps({
    ...{ registry, controller, engine, metrics, clock, runtime, health, log, gitHook, usage },
    about,
    ...{ warnings: hostWarnings, unwatched: watch.unwatched },
    ...(audit && { access: access.source, audit: audit.write }),
  });
  let server: RunningServer;
  try {
    server = await serveApi(config, access, deps);
  } catch (error) {
    await Promise.all([controller.close(), notifier.close(), usage.close(), watch.close()]);
    await registry.close();
    throw error;
  }
  const { host } = config;
  const url = `${access.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
  const unwatch = watchEventLoop(clock, metrics.host.lagged);
  log.info(
    { url, page: `${url}/ui`, registry: root, instance, runtime, pid: process.pid },
    'Hersh Host is up',
  );
  tellSupervisor(process.env, (why) => log.warn({ why }, 'systemd was not told that the host is up'));
  return async () => {
    unwatch();
    access.close();
    await Promise.all([server.close(), controller.close(), notifier.close(), usage.close(), watch.close()]);
    await audit?.close();
    await registry.close();
  };
}

/** What there is to say of the host, to whoever asks. */
function createHealth(registry: Registry, controller: Controller, access: Access) {
  const known = () => [registry.health(), registry.status.damaged(), controller.health()] as const;
  return {
    health: () => withWarnings(healthOf(...known(), registry.pauses), access.warnings()),
    hostWarnings: () => [
      ...warningsOf(...known(), registry.remoteTrouble(), registry.pauses),
      ...access.warnings(),
    ],
  };
}

async function serveApi(config: Config, access: Access, deps: ApiDeps): Promise<RunningServer> {
  const { host, port, proxyWaitMs, allowedHosts: hosts, allowedOrigins: origins, tlsByProxy } = config;
  const server = await startServer({
    ...{ app: createApi(deps), deps, host, port, hosts, origins, proxyWaitMs },
    ...{ tls: access.tls, isTlsByProxy: tlsByProxy },
  });
  access.onRenewed(server.renew);
  return server;
}

/** The registry, with git where it is a work tree, and whose it is on the engine. */
async function openFiles({ registry: root, remote, runtime, credentials }: Config, log: Logger) {
  const clock = systemClock;
  const onWarning = (fields: object, message: string) => log.warn(fields, message);
  const warnings: string[] = [];
  const onUnused = (why: string) => warnings.push(why);
  const git = await openGit({ root, clock, onWarning, onUnused, remote });
  const build = await runningBuild(import.meta.filename);
  const registry = await openRegistry({ root, git, warnings, policy: { runtime }, build, clock, onWarning });
  for (const trouble of await brokenFilesOf(credentials)) log.warn({}, trouble);
  const identity = await openRegistryId({
    root,
    hasProgram: (name) => registry.get(name) !== undefined || registry.status.get(name) !== undefined,
    onNote: onWarning,
  });
  return { registry, identity };
}

async function aboutHost(
  { registry, instance, portRange, remote }: Config,
  startedAtMs: number,
): Promise<AboutHost> {
  const about = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(about) as { version: string };
  return {
    ...{ version, name: hostname(), instance, pid: process.pid, startedAtMs, registry, ports: portRange },
    remote: remote && { url: redactUrl(remote.url), branch: remote.branch },
  };
}

function onNoSign(log: Logger) {
  return (error: unknown): void =>
    log.warn({ error: messageOf(error) }, 'when this host watched can not be written to data/watched.json');
}

function onNoAudit(log: Logger) {
  return (error: unknown): void =>
    log.warn({ error: messageOf(error) }, 'what is changed can not be written to data/audit.ndjson');
}

/** By what a forge may say that the remote has moved, where a secret says which forge. */
function gitHookOf({ gitHookSecret: secret, remote }: Config, registry: Registry, log: Logger) {
  if (secret === undefined) return undefined;
  if (remote === undefined)
    log.warn(
      {},
      'POST /hooks/git has a secret and nothing to look at, and answers 409: there is no --git-remote',
    );
  return { secret, lookAtRemote: () => registry.lookAtRemote() };
}

/** The first signal ends the host in good order, within a limit; a second one ends it at once. */
function closeOnSignal(close: Close, log: Logger, exit: (code: number) => never): void {
  const first = (signal: StopSignal): void => {
    log.info({ signal }, 'the host ends; programs keep running');
    setTimeout(() => {
      log.warn({}, 'something did not end in time; the next start takes it up');
      exit(0);
    }, SHUTDOWN_MS_MAX).unref();
    close().then(
      () => exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'the host did not end in good order');
        exit(1);
      },
    );
  };
  onStopSignals(process, systemClock, first, () => process.exit(1));
}
