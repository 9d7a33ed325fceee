import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { aptInstall, mayInstall, rootPrefix } from './apt.ts';
import { findCommand, lastLines, runCommand } from './command.ts';
import { ensureGvisor, registerGvisor } from './gvisor.ts';
import { createPatience } from './patience.ts';
import { runningDaemon } from './running-daemon.ts';
import { type Say, SetupError } from './say.ts';

const DAEMON_LOG = '/var/log/hersh-dockerd.log';
const ANSWER_MS_MAX = 5_000;

export interface EngineNeeds {
  /** Whether gVisor is installed where it is missing. Without, it is only registered where it is installed. */
  gvisor?: boolean;
}

/**
 * Makes sure that a container engine answers, and gives a client for it. Installs and starts Docker where it
 * may, saying so. Throws SetupError with what to do where it may not.
 */
export async function ensureEngine(say: Say, needs: EngineNeeds = {}): Promise<Docker> {
  const docker = new Docker();
  const problem = await whyNoAnswer(docker);
  if (problem !== undefined) {
    refuseWhatIsNotOurs(problem);
    await bring(say, docker);
  }
  say(`Engine ${(await docker.version()).Version} answers`);
  await ensureGvisor(say, docker, needs.gvisor === true);
  return docker;
}

/** `undefined` when the engine answers. */
async function whyNoAnswer(docker: Docker): Promise<NodeJS.ErrnoException | undefined> {
  try {
    const late = sleep(ANSWER_MS_MAX, 'late', { ref: false });
    const first = await Promise.race([docker.ping(), late]);
    return first === 'late' ? new Error(`no answer within ${ANSWER_MS_MAX / 1000} s`) : undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

function refuseWhatIsNotOurs(problem: NodeJS.ErrnoException): void {
  const host = process.env.DOCKER_HOST;
  if (host) {
    throw new SetupError(
      `DOCKER_HOST is ${host}, and no engine answers there (${problem.message}).\n` +
        'Start that engine, or unset DOCKER_HOST to use the one of this machine.',
    );
  }
  if (problem.code === 'EACCES' || problem.code === 'EPERM') {
    throw new SetupError(notInGroup('A container engine runs'));
  }
}

function notInGroup(beginning: string): string {
  return (
    `${beginning}, but this user may not talk to it (its socket belongs to the group docker).\n` +
    `Join the group: sudo usermod -aG docker ${process.env.USER ?? '<user>'}\n` +
    'Then log in again (or run: newgrp docker) and try once more. Members of that group are as good as root.'
  );
}

async function bring(say: Say, docker: Docker): Promise<void> {
  if (process.platform !== 'linux') {
    throw new SetupError(
      'No container engine answers. Start Docker Desktop (or colima, or podman machine) and try again; ' +
        'if it listens elsewhere, name its socket in DOCKER_HOST=unix:///path/to/docker.sock',
    );
  }
  const missing = ['dockerd', 'iptables'].filter((name) => !findCommand(name));
  const prefix = await rootPrefix();
  if (!prefix || (missing.length > 0 && !(await mayInstall()))) {
    const install = findCommand('apt-get') ? 'apt-get install docker.io iptables' : 'install Docker Engine';
    throw new SetupError(
      'No container engine answers, and this user may not install or start one.\n' +
        `As root: ${missing.length > 0 ? `${install}, then start it (systemctl start docker)` : 'systemctl start docker'}. ` +
        'Or name a running engine in DOCKER_HOST=unix:///path/to/docker.sock, and try again.',
    );
  }
  if (missing.length > 0) await aptInstall(say, 'a container engine', ['docker.io', 'iptables'], ['runsc']);
  // Before the start, where we still can: it saves the engine a reload.
  if (prefix.length === 0) registerGvisor(say);
  await start(say, docker, prefix);
}

/** How often it is started: one that finds many dead containers ends while it tidies up, each time with fewer. */
const STARTS_MAX = 10;
const TIDIES_UP = /timeout waiting for containerd/;

async function start(say: Say, docker: Docker, prefix: readonly string[]): Promise<void> {
  if (existsSync('/run/systemd/system')) {
    say('Starting the engine (systemctl start docker)');
    const { code, output } = await runCommand([...prefix, 'systemctl', 'start', 'docker']);
    if (code !== 0) throw new SetupError(`systemctl start docker failed:\n${lastLines(output, 15)}`);
    return answers(say, docker, () => undefined);
  }
  say(`Starting the engine (dockerd; it stays when we leave, and logs to ${DAEMON_LOG})`);
  let ended = runningDaemon() === undefined ? launch(prefix) : () => undefined;
  let starts = 1;
  const endedForGood = () => {
    const code = ended();
    if (code === undefined || starts === STARTS_MAX || !TIDIES_UP.test(endOfLog())) return code;
    starts += 1;
    ended = launch(prefix);
    return undefined;
  };
  return answers(say, docker, endedForGood);
}

/** Starts dockerd. Gives a function that tells its exit code, once it has ended. */
function launch(prefix: readonly string[]): () => number | undefined {
  let ended: number | undefined;
  const log = prefix.length === 0 ? openSync(DAEMON_LOG, 'a') : undefined;
  const [command = '', ...args] = [...prefix, findCommand('dockerd') ?? 'dockerd'];
  const stdio = ['ignore', log ?? 'ignore', log ?? 'ignore'] as const;
  // A session of its own: Ctrl-C here must not end an engine that others may use by then.
  const daemon = spawn(command, args, { detached: true, stdio: [...stdio] });
  daemon.on('error', () => {
    ended = 127;
  });
  daemon.on('exit', (code) => {
    ended = code ?? 128;
  });
  daemon.unref();
  if (log !== undefined) closeSync(log);
  return () => ended;
}

/** Waits until the engine answers. Throws SetupError when it has ended, or shows no sign of life. */
async function answers(say: Say, docker: Docker, ended: () => number | undefined): Promise<void> {
  const patience = createPatience(signOfLife, () => performance.now());
  let nextWord = Date.now() + 3_000;
  for (;;) {
    const problem = await whyNoAnswer(docker);
    if (problem === undefined) return;
    if (problem.code === 'EACCES') throw new SetupError(notInGroup('The engine is installed and runs'));
    const code = ended();
    // One that lost the race against another starter ends as well, and the other's answers.
    if (code !== undefined && runningDaemon() === undefined) {
      throw new SetupError(`dockerd ended${why(code)}`);
    }
    if (!patience.lasts()) {
      const seconds = patience.silentMsMax / 1000;
      throw new SetupError(`The engine did not answer, and did nothing for ${seconds} s${why(undefined)}`);
    }
    if (Date.now() > nextWord) {
      say('Waiting for the engine');
      nextWord += 5_000;
    }
    await sleep(200);
  }
}

/** Changes as long as the engine that starts has something to do: it logs each container that it brings back. */
function signOfLife(): string {
  try {
    return `${runningDaemon()} ${statSync(DAEMON_LOG).size}`;
  } catch {
    return `${runningDaemon()}`;
  }
}

function why(code: number | undefined): string {
  const beginning = code === undefined ? '' : ` with code ${code}`;
  const log = endOfLog();
  if (log === '') return `${beginning}; ask its log why (journalctl -u docker)`;
  const hint = /iptables|nf_tables|permission denied|operation not permitted/i.test(log)
    ? '\nInside a container it needs --privileged; on a machine of your own, a kernel with iptables and overlayfs.'
    : '';
  return `${beginning}. The end of ${DAEMON_LOG}:\n${log}${hint}`;
}

function endOfLog(): string {
  try {
    return lastLines(readFileSync(DAEMON_LOG, 'utf8'), 20);
  } catch {
    return '';
  }
}
