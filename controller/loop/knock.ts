import { connect } from 'node:net';
import { codeOf } from '../../schemas/errors.ts';
import { PROGRAM_PORT } from '../../schemas/program.ts';
import { timeOut } from '../../schemas/time-out.ts';

/** The kernel takes or refuses a connection of this machine at once, however busy the program is. */
const KNOCK_MS = 250;

/** `silent`: neither, which says nothing of what is there. */
export type Knock = 'taken' | 'refused' | 'silent';

/** Connects, and hangs up. Never rejects. */
export function knock(host: string, port: number, limitMs = KNOCK_MS): Promise<Knock> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (found: Knock) => {
      cancel();
      socket.destroy();
      resolve(found);
    };
    const cancel = timeOut(limitMs, () => finish('silent'));
    socket.once('connect', () => finish('taken'));
    socket.on('error', (error) => finish(codeOf(error) === 'ECONNREFUSED' ? 'refused' : 'silent'));
  });
}

/**
 * Whether a program is published on a port that refuses who comes, while it listens at its container's own address. What
 * the engine has published takes every connection, or hands it on to the program. Never rejects.
 */
export type IsPortLost = (port: number, address: string) => Promise<boolean>;

/** @param inside for tests, the port that a program listens on in its container */
export async function isPortLost(port: number, address: string, inside = PROGRAM_PORT): Promise<boolean> {
  if ((await knock('127.0.0.1', port)) !== 'refused') return false;
  return (await knock(address, inside)) === 'taken';
}
