import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Agent, type buildConnector, type Dispatcher } from 'undici';
import { until } from '../e2e/until.ts';
import { ROOT } from '../setup/host-settings.ts';

/** The network, mounts and processes of one second engine, apart from everybody else's. */
export interface Namespaces {
  /** Before a command: runs it on the network in there, among the processes and files out here. */
  readonly network: readonly string[];
  /** Before a command: runs it in there altogether. */
  readonly all: readonly string[];
  /** For requests from out here to ports in there. */
  readonly dispatcher: Dispatcher;
  /** Kills every process in there; the kernel takes the mounts and the network away with the last of them. */
  close(): Promise<void>;
}

/**
 * `/run` is memory of its own in there, so that nothing of it stays on the disk and no socket of the engine out
 * here is found. The first process keeps it all alive until its input ends, which a test that is killed sees to,
 * and takes in the orphans that a killed engine leaves.
 */
const KEEPER = 'set -e; ip link set lo up; mount -t tmpfs tmpfs /run; echo up; read -r _ || true';

/** @param folder for the socket between in there and out here */
export async function openNamespaces(folder: string): Promise<Namespaces> {
  const flags = ['--net', '--mount', '--pid', '--ipc', '--fork', '--kill-child', '--mount-proc'];
  const outer = spawn('unshare', [...flags, 'bash', '-c', KEEPER], { stdio: ['pipe', 'pipe', 'inherit'] });
  await said(outer, 'up');
  const keeper = childOf(outer.pid ?? 0);
  const enter = ['nsenter', '--target', String(keeper)];
  const network = [...enter, '--net', '--'];

  const path = join(folder, 'door.sock');
  const [command = '', ...args] = [...network, process.execPath, '--import', 'tsx', 'test/chaos/door.ts'];
  const door = spawn(command, [...args, path], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  await said(door, 'open');
  const dispatcher = new Agent({ connect: (options, done) => throughDoor(path, options.port, done) });

  return {
    network,
    all: [...enter, '--net', '--mount', '--pid', '--ipc', '--'],
    dispatcher,
    async close() {
      await dispatcher.destroy();
      for (const child of [door, outer]) {
        const ended = child.exitCode !== null || child.signalCode !== null || once(child, 'exit');
        child.stdin?.end();
        await ended;
      }
    },
  };
}

function throughDoor(path: string, port: string, done: buildConnector.Callback): void {
  const socket = connect(path);
  const fail = (error: Error) => done(error, null);
  socket.once('error', fail).once('connect', () => {
    socket.off('error', fail);
    socket.write(`${port}\n`);
    done(null, socket);
  });
}

/** Waits for the word that a process is as far as it should be. */
async function said(child: ChildProcess, word: string): Promise<void> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await until(`a process says ${word}`, () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} and never said ${word}`);
    return text.includes(word);
  });
}

/** The one child of a process that forks and waits. 0 where it has none. */
export function childOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  } catch {
    return 0;
  }
}
