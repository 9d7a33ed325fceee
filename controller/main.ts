import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, realpath } from 'node:fs/promises';
import { tmpdir, uptime } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createApi } from '../api/app.ts';
import type { ApiDeps, Health } from '../api/deps.ts';
import { type RunningServer, startServer } from '../api/server.ts';
import { openGit } from '../registry/git/git.ts';
import { parseYaml } from '../registry/manifests/manifest.ts';
import { openRegistry } from '../registry/open-registry.ts';
import { acquireLock, type Lock } from '../registry/records/lock.ts';
import type { Registry } from '../registry/registry.ts';
import { systemClock } from '../schemas/clock.ts';
import { AppError, messageOf } from '../schemas/errors.ts';
import { type Config, helpText, readConfig } from './config.ts';
import { createDockerEngine } from './engine/docker/docker.ts';
import type { Engine } from './engine/engine.ts';
import { createLog } from './log.ts';
import { type Controller, startController } from './loop/controller.ts';
import { probeOnce } from './loop/probe.ts';
import { createMetrics } from './metrics.ts';
import { isPortFree } from './ports/ports.ts';
import { createReservations } from './ports/reservations.ts';
import { createProgramStore, dryRun } from './serve/program-store.ts';

/** SIGTERM ends the process within 5 s (issue of the host process); this leaves a second for the last line. */
const SHUTDOWN_MS_MAX = 4_000;

await main();

/** Puts the host together from its parts, and takes it apart again on SIGTERM. The one place that knows them all. */
async function main(): Promise<void> {
  const config = configOrExit();
  const log = createLog(config.logLevel);
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'a bug of Hersh Host; programs go on and are adopted at the next start');
    process.exit(1);
  });
  try {
    const close = await start(config, log);
    closeOnSignal(close, log);
  } catch (error) {
    const hint = error instanceof AppError && error.hint !== undefined ? ` ${error.hint}` : '';
    log.fatal({}, `the host can not start: ${messageOf(error)}.${hint}`);
    process.exit(1);
  }
}

function configOrExit(): Config {
  try {
    const config = readConfig(process.argv.slice(2), process.env);
    if (config !== 'help') return config;
    process.stdout.write(`${helpText()}\n`);
    process.exit(0);
  } catch (error) {
    const hint = error instanceof AppError && error.hint !== undefined ? `\n${error.hint}` : '';
    process.stderr.write(`${messageOf(error)}${hint}\n`);
    process.exit(2);
  }
}

async function start(config: Config, log: ReturnType<typeof createLog>): Promise<() => Promise<void>> {
  const { instance, runtime } = config;
  const clock = systemClock;
  const locks = await takeLocks(config);
  try {
    const onWarning = (fields: object, message: string) => log.warn(fields, message);
    const root = config.registry;
    const warnings: string[] = [];
    const onUnused = (why: string) => warnings.push(why);
    const git = await openGit({ root, clock, onWarning, onUnused, remote: config.remote });
    const registry = await openRegistry({ root, git, warnings, policy: { runtime }, clock, onWarning });
    const engine = createDockerEngine({ instance, log });
    const metrics = createMetrics();
    const controller = startController({
      ...{ registry, engine, clock, log, metrics, instance, runtime, isPortFree, probeOnce },
      bootedAtMs: Date.now() - uptime() * 1000,
      portRange: config.portRange,
      collect: { diskBytes: config.diskBytes },
    });
    const deps = await apiDeps(config, registry, controller, engine, metrics, log);
    let server: RunningServer;
    try {
      server = await startServer({
        app: createApi(deps),
        deps,
        host: config.host,
        port: config.port,
        hosts: config.allowedHosts,
      });
    } catch (error) {
      await controller.close();
      await registry.close();
      throw error;
    }
    const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${server.port}`;
    log.info({ url, registry: config.registry, instance, runtime, pid: process.pid }, 'Hersh Host is up');
    return async () => {
      await Promise.all([server.close(), controller.close()]);
      await registry.close();
      for (const lock of locks) await lock.release();
    };
  } catch (error) {
    for (const lock of locks) await lock.release();
    throw error;
  }
}

/** One host a registry, and one host an instance on each engine; both locks name their owner. */
async function takeLocks(config: Config): Promise<Lock[]> {
  const { registry, instance } = config;
  const folder = join(registry, 'data', 'locks');
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new AppError(
      'RegistryUnavailable',
      `the registry ${registry} can not be used: ${messageOf(error)}`,
    );
  });
  const shared = join(tmpdir(), 'hersh-host-locks');
  await mkdir(shared, { recursive: true });
  // Hosts of all users of this machine may share an engine; mkdir's mode would be cut by the umask.
  await chmod(shared, 0o1777).catch(() => undefined);
  const engine = await engineEndpoint();
  const key = createHash('sha256').update(engine).digest('hex').slice(0, 12);
  const about = `registry ${registry}, instance ${instance}`;
  const first = await acquireLock(join(folder, 'host.lock'), `the registry ${registry}`, about);
  try {
    const what = `the instance ${instance} on the engine ${engine}`;
    return [first, await acquireLock(join(shared, `${key}-${instance}.lock`), what, about)];
  } catch (error) {
    await first.release();
    throw error;
  }
}

/** The engine by one name, however it is spelled: /var/run is a link to /run on most machines. */
async function engineEndpoint(): Promise<string> {
  const given = process.env.DOCKER_HOST || 'unix:///var/run/docker.sock';
  if (!given.startsWith('unix://')) return given;
  const path = given.slice('unix://'.length);
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return `unix://${join(folder, basename(path))}`;
}

async function apiDeps(
  config: Config,
  registry: Registry,
  controller: Controller,
  engine: Engine,
  metrics: ReturnType<typeof createMetrics>,
  log: ApiDeps['log'],
): Promise<ApiDeps> {
  const { runtime } = config;
  const clock = systemClock;
  const openapi = await readFile(new URL('../schemas/openapi.yaml', import.meta.url), 'utf8');
  const reservations = createReservations(registry, controller.ports, clock);
  const programs = createProgramStore({
    registry,
    clock,
    runtime,
    hold: (work) => controller.collector.hold(work),
    removeStrays: () => controller.removeStrays(),
    onBuildStart: (listener) => controller.onBuildStart(listener),
  });
  return {
    programs: {
      ...programs,
      async createFromSources(name, userId, buildId, files) {
        await programs.createFromSources(name, userId, buildId, files);
        reservations.fulfil(name);
      },
    },
    reserve: (name, userId, buildId) => reservations.reserve(name, userId, buildId),
    unreserve: (name) => reservations.unreserve(name),
    async logs(name, options) {
      const containerId = registry.status.get(name)?.containerId ?? '';
      const stream = containerId === '' ? nothing() : await engine.logs(containerId, options);
      return { containerId, stream };
    },
    dryRun: async (name, text) => dryRun({ registry, runtime }, name, text),
    health: () => healthOf(registry, controller),
    metrics: () => metrics.text(),
    openapi: parseYaml(openapi),
    now: () => clock.now(),
    log,
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function healthOf(registry: Registry, controller: Controller): Health {
  const { scanned, message, paused, warnings: told } = registry.health();
  const { trouble, listed, strays } = controller.health();
  const warnings = [
    ...told,
    ...(message === '' ? [] : [`${message}; everything keeps running`]),
    ...(paused.length === 0
      ? []
      : [
          `${paused.length} manifests are gone at once (${paused.join(', ')}): their programs keep running until the files return or POST /registry/prune confirms`,
        ]),
    ...[...registry.status.damaged()].map(([name, why]) => `status/${name}.yaml is damaged: ${why}`),
    ...(strays.length === 0
      ? []
      : [
          `containers that belong to no program: ${strays.map(({ name }) => name).join(', ')}; POST /registry/prune removes them`,
        ]),
  ];
  if (trouble !== '') {
    return {
      ready: false,
      reason: 'EngineUnavailable',
      message: `the engine does not answer: ${trouble}`,
      warnings,
    };
  }
  if (!scanned)
    return { ready: false, reason: 'RegistryUnavailable', message: message || 'not scanned yet', warnings };
  if (!listed)
    return { ready: false, reason: 'EngineUnavailable', message: 'the engine was not listed yet', warnings };
  return { ready: true, reason: '', message: '', warnings };
}

/** The first signal ends the host in good order, within a limit; a second one ends it at once. */
function closeOnSignal(close: () => Promise<void>, log: ReturnType<typeof createLog>): void {
  let closing = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closing) process.exit(1);
    closing = true;
    log.info({ signal }, 'the host ends; programs keep running');
    setTimeout(() => {
      log.warn({}, 'something did not end in time; the next start takes it up');
      process.exit(0);
    }, SHUTDOWN_MS_MAX).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'the host did not end in good order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
