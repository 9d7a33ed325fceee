import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { removeCgroups } from '../chaos/cgroups.ts';
import { childOf, openNamespaces } from '../chaos/namespaces.ts';
import { until } from '../e2e/until.ts';
import { findCommand } from '../setup/command.ts';
import { RUNTIME_ARGS } from '../setup/gvisor.ts';

/** An engine of another version, with a network, mounts and processes of its own. */
export interface OtherEngine {
  docker: Docker;
  /** For DOCKER_HOST. */
  host: string;
  /** Before a command: runs it where the ports of this engine's containers are, among the files out here. */
  network: readonly string[];
  /** The end of what it logged. */
  log(): string;
  /** Ends it, its containers and everything it made. */
  close(): Promise<void>;
}

/**
 * Turns the root into that of another Debian and becomes dockerd. What is written goes to memory, so nothing of it
 * outlives the namespaces. Not by `chroot`: `docker exec` would find the machine's root.
 */
const ENTER = `
set -e
new=/run/root
mkdir -p $new /run/upper /run/work
mount -t overlay overlay -o lowerdir="$1",upperdir=/run/upper,workdir=/run/work $new
mount -t proc proc $new/proc
mount --rbind /sys $new/sys
mount --rbind /dev $new/dev
mount -t tmpfs tmpfs $new/run
mount -t tmpfs tmpfs $new/tmp
mkdir -p $new/var/lib/docker $new/run/door $new/run/before
mount -t tmpfs tmpfs $new/var/lib/docker
mount --bind "$2" $new/run/door
# gVisor is one file that runs anywhere: this machine's, so that its version is not another question.
if [ -n "$3" ]; then cp "$3" $new/usr/bin/runsc; fi
shift 3
cd $new
pivot_root . run/before
umount -l /run/before
exec dockerd "$@"
`;

/** Starts the engine of an unpacked Debian. @param flags dockerd's own */
export async function openOtherEngine(root: string, flags: readonly string[]): Promise<OtherEngine> {
  if (process.getuid?.() !== 0) throw new Error('an engine in namespaces of its own needs root');
  const folder = mkdtempSync(join(tmpdir(), 'hersh-other-engine-'));
  const door = join(folder, 'door');
  mkdirSync(door);
  const cgroup = `hersh-engine-${randomBytes(4).toString('hex')}`;
  const namespaces = await openNamespaces(folder);
  const socketPath = join(door, 'docker.sock');
  const logPath = join(folder, 'dockerd.log');
  const docker = new Docker({ socketPath });
  const log = () => (existsSync(logPath) ? readFileSync(logPath, 'utf8').slice(-4_000) : '');

  const gvisor = findCommand('runsc') ?? '';
  writeFileSync(
    join(door, 'daemon.json'),
    JSON.stringify({ runtimes: { runsc: { path: '/usr/bin/runsc', runtimeArgs: RUNTIME_ARGS } } }),
  );
  const out = openSync(logPath, 'a');
  const [command = '', ...args] = [
    ...[...namespaces.all, 'unshare', '--mount', 'bash', '-c', ENTER, 'enter', root, door, gvisor],
    ...['--host', 'unix:///run/door/docker.sock', '--cgroup-parent', `/${cgroup}`, ...flags],
    ...(gvisor === '' ? [] : ['--config-file', '/run/door/daemon.json']),
  ];
  const outer = spawn(command, args, { stdio: ['ignore', out, out] });
  closeSync(out);
  const isUp = () => outer.exitCode === null && outer.signalCode === null;

  async function close(): Promise<void> {
    await end(outer, isUp);
    await namespaces.close();
    rmSync(folder, { recursive: true, force: true });
    await removeCgroups(cgroup);
  }

  try {
    await until(
      `the engine of ${root} answers`,
      async () => {
        if (!isUp()) throw new Error(`it ended at once:\n${log()}`);
        return docker.ping().then(
          () => true,
          () => false,
        );
      },
      log,
    );
  } catch (error) {
    await close();
    throw error;
  }
  return { docker, host: `unix://${socketPath}`, network: namespaces.network, log, close };
}

/** nsenter only waits; the daemon is its child. */
async function end(outer: ChildProcess, isUp: () => boolean): Promise<void> {
  if (!isUp()) return;
  const ended = once(outer, 'exit');
  process.kill(childOf(outer.pid ?? 0) || (outer.pid ?? 0), 'SIGTERM');
  await ended;
}
