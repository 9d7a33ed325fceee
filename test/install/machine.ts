import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { lastLines, runCommand } from '../setup/command.ts';
import { ROOT } from '../setup/host-settings.ts';
import { type Say, SetupError } from '../setup/say.ts';

/** A machine with nothing of this project on it: Debian with systemd and an engine of its own, in a container. */
export interface Machine {
  name: string;
  /** Runs a shell script as root, with what it prints. Fails unless it ends with 0. */
  run(script: string): Promise<string>;
  /** The same, for what may end otherwise. */
  attempt(script: string): Promise<{ code: number; output: string }>;
  /** Until a script ends with 0 and prints something that matches. @returns what it printed then */
  until(what: string, script: string, matches?: RegExp): Promise<string>;
  copyIn(path: string, to: string): Promise<void>;
  /** An image of this machine's engine is one of that machine's. */
  loadImage(tag: string, as: readonly string[]): Promise<void>;
  remove(): Promise<void>;
}

const IMAGE = 'hersh-test/debian-machine';
/** Ends what would hang for ever; measures nothing. */
const TRIES_MAX = 600;
const EVERY_MS = 500;

/** What systemd and dockerd do. Not `--privileged`: an engine can not give what it has not. */
const CAPABILITIES = [
  ...['SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE', 'SYS_NICE', 'SYS_BOOT', 'DAC_READ_SEARCH', 'IPC_LOCK'],
  ...['LINUX_IMMUTABLE', 'SYSLOG', 'LEASE'],
];

/**
 * On a kernel with cgroup v1 only, systemd has to be asked for it, by what it takes for the kernel's command line.
 * (257 refuses it otherwise.)
 */
const LEGACY = [
  'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1',
  'systemd.unified_cgroup_hierarchy=0',
  'systemd.legacy_systemd_cgroup_controller=1',
];

/** What the engine mounts for reading: its own part of the cgroups, and the settings of its own network. */
const WRITABLE = `for at in $(awk '$3 ~ /^cgroup/ || $2 == "/sys/fs/cgroup" {print $2}' /proc/mounts) /proc/sys
do mount -o remount,bind,rw "$at"; done; exec "$@"`;

const dockerfile = (base: string) => `FROM ${base}
RUN apt-get update && apt-get install -y --no-install-recommends systemd systemd-sysv docker.io docker-cli \\
  iptables git adduser curl ca-certificates && rm -rf /var/lib/apt/lists/*
STOPSIGNAL SIGRTMIN+3
VOLUME /var/lib/docker
CMD ["/lib/systemd/systemd"]
`;

/** @param base of Debian 13, with its Node */
export async function makeMachineImage(say: Say, base: string): Promise<void> {
  say(`Making ${IMAGE}: Debian with systemd and an engine`);
  await must(['sh', '-c', `printf '%s' "$1" | docker build -q -t ${IMAGE} -`, 'sh', dockerfile(base)]);
}

export async function startMachine(say: Say, name: string): Promise<Machine> {
  say(`Starting the machine ${name}`);
  const isUnified = existsSync('/sys/fs/cgroup/cgroup.controllers');
  await must([
    ...['docker', 'run', '-d', '--name', name, '--hostname', name, '-e', 'container=docker'],
    ...CAPABILITIES.flatMap((one) => ['--cap-add', one]),
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    ...['--device-cgroup-rule', 'a *:* rwm', '--cgroupns=private'],
    ...['--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec'],
    ...[IMAGE, 'sh', '-c', WRITABLE, 'sh', '/lib/systemd/systemd', ...(isUnified ? [] : LEGACY)],
  ]);
  const machine = open(name);
  try {
    await machine.until('the engine answers', 'docker version --format "{{.Server.Version}}"');
  } catch (error) {
    await machine.remove();
    throw error;
  }
  return machine;
}

function open(name: string): Machine {
  const attempt = (script: string) => runCommand(['docker', 'exec', name, 'bash', '-c', script]);
  return {
    name,
    attempt,
    async run(script) {
      const { code, output } = await attempt(script);
      if (code !== 0) throw new SetupError(`on ${name}, code ${code}: ${script}\n${lastLines(output, 30)}`);
      return output.trim();
    },
    async until(what, script, matches = /(?:)/) {
      let last = '';
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        const { code, output } = await attempt(script);
        if (code === 0 && matches.test(output)) return output.trim();
        last = output;
        if (/is not running/.test(output)) break;
        await pause(EVERY_MS);
      }
      throw new SetupError(`on ${name} it never came about that ${what}: ${script}\n${lastLines(last, 30)}`);
    },
    async copyIn(path, to) {
      await must(['docker', 'cp', path, `${name}:${to}`]);
    },
    async loadImage(tag, as) {
      await must(['sh', '-c', `docker save "$1" | docker exec -i "$2" docker load`, 'sh', tag, name]);
      for (const one of as) await must(['docker', 'exec', name, 'docker', 'tag', tag, one]);
    },
    async remove() {
      await runCommand(['docker', 'rm', '-fv', name]);
    },
  };
}

/** Moves a folder from one machine to another, as a person would over the network. */
export async function moveFolder(from: Machine, to: Machine, path: string): Promise<void> {
  const script = `docker exec "$1" tar -C "$3" -cf - . | docker exec -i "$2" sh -c 'mkdir -p "$1" && tar -C "$1" -xf -' sh "$3"`;
  await must(['sh', '-c', script, 'sh', from.name, to.name, path]);
}

/** Runs a command of this machine in the checkout, with what it prints. Fails unless it ends with 0. */
export async function must(argv: readonly string[]): Promise<string> {
  const { code, output } = await runCommand(argv, { cwd: ROOT });
  if (code !== 0)
    throw new SetupError(`${argv.slice(0, 3).join(' ')} …, code ${code}:\n${lastLines(output, 30)}`);
  return output.trim();
}

/**
 * What a page of the documentation tells to type, under a heading: it is run as it stands there.
 * @param heading without its signs
 */
export function commandsOf(page: string, heading: string): string {
  const text = readFileSync(page, 'utf8');
  const [, rest] = text.split(`\n## ${heading}\n`);
  const block = /```sh\n([\s\S]*?)```/.exec(rest?.split('\n## ')[0] ?? '')?.[1];
  if (block === undefined) throw new SetupError(`${page} has no commands under ${heading}`);
  return block;
}
