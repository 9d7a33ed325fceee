import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import type { Place } from '../e2e/host.ts';
import { until } from '../e2e/until.ts';
import { ensureTestImage, TEST_IMAGE } from '../setup/test-image.ts';
import { removeCgroups } from './cgroups.ts';
import { childOf, openNamespaces } from './namespaces.ts';

export interface EngineOptions {
  /** Whether containers outlive the engine. */
  liveRestore?: boolean;
}

/** A real dockerd that a test may stop and kill: nobody else's containers, network or files are in reach of it. */
export interface SecondEngine {
  /** Where a host that uses it has to run, and how it is talked to from here. */
  readonly place: Place;
  readonly docker: Docker;
  /** Starts it and waits until it answers. */
  start(options?: EngineOptions): Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  isUp(): boolean;
  /** SIGSTOP, or SIGCONT: it accepts connections and answers nothing. */
  freeze(frozen: boolean): void;
  /** Leaves so much room on the disk that it has to itself, from now on; all there is where nothing is said. */
  leaveRoom(bytes?: number): void;
  /** Takes the socket away, or puts it back, while the engine lives on. */
  hideSocket(hidden: boolean): Promise<void>;
  /**
   * Ends what lives on in network namespaces that belong to no container, and removes these; gives what it was. An
   * engine that is killed in the midst of a start or a stop forgets such, with addresses on the bridge that it gives
   * out again: whoever gets one is not reached. Only root can put that right, or a reboot.
   */
  dropForgotten(): Promise<string[]>;
  /** The end of what it logged. */
  log(): string;
  /** Ends it, its containers and everything it made. */
  close(): Promise<void>;
}

/** In there. */
const SANDBOXES = '/run/exec/netns';
/** A line for each process in there: its network namespace, its id, its command. */
const LIST_PROCESSES =
  'for p in /proc/[0-9]*; do echo "$(readlink $p/ns/net) $(basename $p) $(tr "\\0" " " < $p/cmdline)"; done 2>/dev/null';
/** From a network namespace to the container that shows it, on a busy machine. */
const MAKING_MS_MAX = 3_000;

/** Starts one, with the test image in it. */
export async function openSecondEngine(options: EngineOptions = {}): Promise<SecondEngine> {
  if (process.getuid?.() !== 0) throw new Error('a second engine in namespaces of its own needs root');
  const shared = new Docker();
  await ensureTestImage(() => {}, shared);
  const folder = mkdtempSync(join(tmpdir(), 'hersh-second-engine-'));
  const cgroup = `hersh-chaos-${randomBytes(4).toString('hex')}`;
  const namespaces = await openNamespaces(folder);
  const socketPath = join(folder, 'docker.sock');
  const logPath = join(folder, 'dockerd.log');
  const docker = new Docker({ socketPath });
  let outer: ChildProcess | undefined;

  const isUp = () => outer !== undefined && outer.exitCode === null && outer.signalCode === null;
  const log = () => (existsSync(logPath) ? readFileSync(logPath, 'utf8').slice(-4_000) : '');

  function inside(...command: string[]): string {
    const [enter = '', ...args] = [...namespaces.all, ...command];
    return execFileSync(enter, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  }

  /** Paths of network namespaces, and processes in such, that are no container's; and what they are, for people. */
  async function forgotten(): Promise<Map<string, string>> {
    const files = inside('find', SANDBOXES, '-type', 'f').split('\n').filter(Boolean);
    const processes = inside('sh', '-c', LIST_PROCESSES).split('\n').filter(Boolean);
    const containers = await docker.listContainers({ all: true });
    const inspected = await Promise.all(
      containers.map(({ Id }) =>
        docker
          .getContainer(Id)
          .inspect()
          .catch(() => undefined),
      ),
    );
    const namespaceOf = new Map(processes.map((line) => [line.split(' ')[1], line.split(' ')[0]]));
    const known = new Set<string | undefined>([namespaceOf.get('1')]);
    for (const one of inspected) {
      known.add(one?.NetworkSettings.SandboxKey);
      if (one?.State.Pid) known.add(namespaceOf.get(String(one.State.Pid)));
    }
    const found = new Map(files.filter((path) => !known.has(path)).map((path) => [path, path]));
    for (const line of processes) {
      const [namespace = '', pid = ''] = line.split(' ');
      if (namespace.startsWith('net:') && !known.has(namespace)) found.set(pid, line);
    }
    return found;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (outer === undefined || !isUp()) return;
    // nsenter only waits; the daemon is its child.
    const daemon = childOf(outer.pid ?? 0);
    process.kill(daemon > 0 ? daemon : (outer.pid ?? 0), signal);
    await until(
      'the second engine ends',
      () => {
        // One whose child was frozen stops itself, at a time of its own choosing, and sees no child end meanwhile.
        outer?.kill('SIGCONT');
        return !isUp();
      },
      log,
    );
  }

  const engine: SecondEngine = {
    docker,
    place: {
      docker,
      env: { DOCKER_HOST: `unix://${socketPath}` },
      // A host must not outlive the test that is killed: its engine would be gone.
      inside: [...namespaces.network, 'setpriv', '--pdeathsig', 'KILL', '--'],
      dispatcher: namespaces.dispatcher,
    },
    isUp,
    log,
    async start({ liveRestore = false } = {}) {
      if (isUp()) throw new Error('the second engine runs already');
      const out = openSync(logPath, 'a');
      const [command = '', ...args] = [
        ...[...namespaces.all, 'dockerd', '--data-root', '/run/data', '--exec-root', '/run/exec'],
        ...['--pidfile', '/run/dockerd.pid', '--host', `unix://${socketPath}`],
        ...['--cgroup-parent', `/${cgroup}`, ...(liveRestore ? ['--live-restore'] : [])],
      ];
      outer = spawn(command, args, { stdio: ['ignore', out, out] });
      closeSync(out);
      await until(
        'the second engine answers',
        async () => {
          if (!isUp()) throw new Error(`the second engine ended at once:\n${log()}`);
          return docker.ping().then(
            () => true,
            () => false,
          );
        },
        log,
      );
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze(frozen) {
      const daemon = childOf(outer?.pid ?? 0);
      if (daemon > 0) process.kill(daemon, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    leaveRoom(bytes) {
      // A tmpfs, whose default size is half of the memory.
      const [blocks = 0, free = 0, size = 0] = inside('stat', '-f', '-c', '%b %f %S', '/run')
        .split(' ')
        .map(Number);
      const used = (blocks - free) * size;
      inside('mount', '-o', `remount,size=${bytes === undefined ? '50%' : used + bytes}`, '/run');
    },
    async dropForgotten() {
      const first = await forgotten();
      // What is being made has no container yet.
      await sleep(MAKING_MS_MAX);
      const lost = [...(await forgotten())].filter(([key]) => first.has(key));
      for (const [key] of lost) {
        // It may be half gone already: a file that is no mount any more, a process that just ended.
        const drop = key.startsWith('/') ? 'umount "$0"; rm "$0"; true' : 'kill -9 "$0"; true';
        inside('sh', '-c', drop, key);
      }
      return lost.map(([, what]) => what);
    },
    async hideSocket(hidden) {
      const away = `${socketPath}.away`;
      await (hidden ? rename(socketPath, away) : rename(away, socketPath));
    },
    async close() {
      await end('SIGKILL');
      await namespaces.close();
      rmSync(folder, { recursive: true, force: true });
      await removeCgroups(cgroup);
    },
  };

  try {
    await engine.start(options);
    await docker.loadImage(await shared.getImage(TEST_IMAGE).get());
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}
