/** The room of the host's ports: who holds which, and which one a program gets. */

import { createServer } from 'node:net';
import { AppError, codeOf } from '../../schemas/errors.ts';

export interface PortRange {
  min: number;
  max: number;
}

/** Who holds which host port. A port is held from a program's creation to its deletion. */
export interface Ports {
  /** The holder, or undefined. */
  holder(port: number): string | undefined;
  /** One that the program holds, 0 where it holds none. */
  held(name: string): number;
  /** Holds a port for a program. False, and nothing done, when another holds it. */
  hold(name: string, port: number): boolean;
  /**
   * Holds a free port of the range: one that nobody holds and nothing on this machine listens on at the moment.
   * Rejects `PortsExhausted`.
   * @param avoid ports that just proved to be taken
   */
  reserve(name: string, avoid?: ReadonlySet<number>): Promise<number>;
  /** Lets go of all the program holds, but for `keep`. */
  release(name: string, ...keep: number[]): void;
  /** Whether nothing on this machine listens on it just now; a hint, since that can change at any time. */
  isFree(port: number): Promise<boolean>;
}

/** @param isFree whether nothing listens on the port; a hint only, since that can change at any time */
export function createPorts(range: PortRange, isFree: (port: number) => Promise<boolean>): Ports {
  const holders = new Map<number, string>();
  /** Where the search goes on, so that a port given back is not given out again at once. */
  let next = range.min;

  return {
    holder: (port) => holders.get(port),
    held: (name) => [...holders].find(([, holder]) => holder === name)?.[0] ?? 0,
    hold(name, port) {
      const holder = holders.get(port) ?? name;
      if (holder !== name) return false;
      holders.set(port, name);
      return true;
    },
    async reserve(name, avoid = new Set()) {
      const size = range.max - range.min + 1;
      for (let step = 0; step < size; step++) {
        const port = range.min + ((next - range.min + step) % size);
        if (holders.has(port) || avoid.has(port)) continue;
        // Held before the look, so that two that search at once do not find the same.
        holders.set(port, name);
        if (await isFree(port)) {
          next = port + 1 > range.max ? range.min : port + 1;
          return port;
        }
        holders.delete(port);
      }
      throw new AppError('PortsExhausted', `no port is free between ${range.min} and ${range.max}`, {
        hint: 'Delete programs that are not needed, or start the host with a wider --port-range.',
      });
    },
    release(name, ...keep) {
      for (const [port, holder] of holders) {
        if (holder === name && !keep.includes(port)) holders.delete(port);
      }
    },
    isFree,
  };
}

/** What says that the machine has no such address: nobody can listen there either. */
const NO_ADDRESS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];

/**
 * Tries to listen on 127.0.0.1, and on ::1 where the machine has it: `localhost` in a `proxy_url` is both, many clients
 * try ::1 first, and would find whoever listens there.
 */
export async function isPortFree(port: number): Promise<boolean> {
  return (
    (await tryToListen(port, '127.0.0.1')) === '' &&
    ['', ...NO_ADDRESS].includes(await tryToListen(port, '::1'))
  );
}

/** Why it could not, as a code; `""` where it could. */
function tryToListen(port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOf(error) || 'unknown'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('')));
  });
}
