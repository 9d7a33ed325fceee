import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { CliError, EXIT, Interrupted } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import type { Address } from './address.ts';

export interface Tunnel {
  base: string;
  /** Why it is no more, in ssh's words; undefined while it stands. */
  trouble(): CliError | undefined;
  close(): void;
}

const LOOK_MS = 50;
/** Of what ssh says, from the end. */
const WORDS_MAX = 2_000;

/** A way to a host on another machine, by the system's ssh, for as long as the command lasts. Rejects in ssh's words. */
export async function openTunnel(
  io: Io,
  { destination, port, apiPort }: Address & { kind: 'ssh' },
): Promise<Tunnel> {
  const own = await freePort();
  const args = ['-N', '-o', 'ExitOnForwardFailure=yes', '-o', 'ServerAliveInterval=15'];
  args.push('-L', `127.0.0.1:${own}:127.0.0.1:${apiPort}`, ...(port === 0 ? [] : ['-p', String(port)]));
  // It asks for a password at the terminal, not here.
  const child = spawn('ssh', [...args, '--', destination], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...io.env } as NodeJS.ProcessEnv,
  });
  const ssh = watched(child, destination);
  const close = () => void child.kill();
  process.once('exit', close);
  try {
    while (!(await isOpen(own))) {
      const trouble = ssh();
      if (trouble !== undefined) throw trouble;
      if (io.signal.aborted) throw new Interrupted();
      await io.delay(LOOK_MS, io.signal);
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    base: `http://127.0.0.1:${own}`,
    trouble: ssh,
    close() {
      process.off('exit', close);
      close();
    },
  };
}

/** Gives what became of it. */
function watched(child: ChildProcess, destination: string): () => CliError | undefined {
  let words = '';
  let trouble: CliError | undefined;
  const ended = (how: string) => {
    trouble ??= new CliError(
      EXIT.unreachable,
      `no way to ${destination}: ${words.trim() || how}`,
      `Does "ssh ${destination}" work?`,
    );
  };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-WORDS_MAX);
  });
  child.on('error', (error) => ended(error.message));
  // Its words may come after its end.
  child.on('close', (code, signal) => ended(`ssh ended with ${signal ?? `code ${code}`}`));
  return () => trouble;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
