import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { aptInstall, mayInstall } from './apt.ts';
import { findCommand } from './command.ts';
import { runningDaemon } from './running-daemon.ts';
import type { Say } from './say.ts';

const DAEMON_CONFIG = '/etc/docker/daemon.json';
const RELOAD_MS_MAX = 5_000;

/** gVisor's own network stack fails on new kernels; this means the container's namespace, by the host's stack. */
export const RUNTIME_ARGS = ['--network=host'];

/** Makes the runtime `runsc` known to a running engine of this machine, as far as that is possible. Never throws. */
export async function ensureGvisor(say: Say, docker: Docker, install: boolean): Promise<void> {
  if (await isKnown(docker)) return;
  const local = process.getuid?.() === 0 && !process.env.DOCKER_HOST && runningDaemon() !== undefined;
  if (!local) return;
  if (!findCommand('runsc') && install && (await mayInstall())) {
    await aptInstall(say, 'the runtime runsc (gVisor)', [], ['runsc']).catch((error: Error) =>
      say(error.message),
    );
  }
  if (!findCommand('runsc')) return;
  registerGvisor(say);
  const daemon = runningDaemon();
  if (daemon === undefined) return;
  say('Telling the engine to take up the runtime runsc (gVisor)');
  process.kill(daemon, 'SIGHUP');
  for (const deadline = Date.now() + RELOAD_MS_MAX; Date.now() < deadline; ) {
    if (await isKnown(docker)) return;
    await sleep(100);
  }
  say('The engine did not take up runsc: programs with runtime: runsc will not start');
}

async function isKnown(docker: Docker): Promise<boolean> {
  const info = (await docker.info()) as { Runtimes?: Record<string, unknown> };
  return info.Runtimes?.runsc !== undefined;
}

/** Writes runsc into the engine's configuration and keeps all else in it. Needs root; does nothing without runsc. */
export function registerGvisor(say: Say, file = DAEMON_CONFIG): void {
  const path = findCommand('runsc');
  if (path === undefined) return;
  let config: { runtimes?: Record<string, unknown> } = {};
  try {
    config = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      say(`${file} is not readable as JSON and is left as it is: gVisor is not registered`);
      return;
    }
  }
  if (config.runtimes?.runsc !== undefined) return;
  say(`Registering the runtime runsc (gVisor) in ${file}`);
  config.runtimes = { ...config.runtimes, runsc: { path, runtimeArgs: RUNTIME_ARGS } };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(config, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
