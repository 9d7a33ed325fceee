/** The room of the host's ports: who holds which, and which one a program gets. */

import { createServer } from 'node:net';
import { AppError, codeOf } from '../../schemas/errors.ts';
import { createHolders } from './holders.ts';
import { createPins, type Pins } from './pins.ts';
import { createSearch, type Search } from './search.ts';
import { createSparePorts, type SparePorts } from './spare-ports.ts';

export interface PortRange {
  min: number;
  max: number;
}

/**
 * Who holds which host port: who pins it or serves on it. One that is not pinned is held from a program's creation to
 * its deletion.
 */
export interface Ports {
  /** What manifests pin. Who it is said of before it is held is told when that port is let go of. */
  pins: Pick<Pins, 'set' | 'isPassing' | 'yields'>;
  /** The program serves on it: one that only pins it waits. Not so where it is what another program has of old. */
  serve(name: string, port: number): void;
  /** Whether nothing but the port it pins keeps a program from moving there. */
  setReady(name: string, isReady: boolean): void;
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
   * @param hasUseForSpare whether it is to be that of a spare, where there is one; by default it is. One that has none is
   * given such a port last of all
   */
  reserve(name: string, avoid?: ReadonlySet<number>, hasUseForSpare?: boolean): Promise<number>;
  /** The ports on which spare sandboxes wait, from now on. Whoever holds one has the spare with it. */
  setSpares(ports: Iterable<number>): void;
  /** Another one for a spare, free as `reserve` says; undefined where there is none. */
  addSpare(): Promise<number | undefined>;
  /** Lets go of all the program holds, but for `keep`; who waits for one of them is told. */
  release(name: string, ...keep: number[]): void;
  /** The program is no more, or never came to be: lets go of all that it holds, pins or waits for. */
  forget(name: string): void;
  /** Whether nothing on this machine listens on it just now; a hint, since that can change at any time. */
  isFree(port: number): Promise<boolean>;
}

export interface PortsOptions {
  /** Ports that are given out where none is pinned. */
  range: PortRange;
  /** Whether nothing listens on the port; a hint only, since that can change at any time. */
  isFree: (port: number) => Promise<boolean>;
  /** Whether a program is deleted, or seems to be: then its ports are about to be free. */
  isGoing?: (name: string) => boolean;
  /** What a program waits for may be had now, or it has to give way to others: it is to be looked at. */
  onTurn?: (name: string) => void;
  /** A program came to hold the port of a spare. */
  onSpareHeld?: () => void;
}

export function createPorts(options: PortsOptions): Ports {
  const { range, isFree, isGoing = () => false, onTurn = () => undefined } = options;
  const holders = createHolders(range);
  const pins = createPins(holders.of, isGoing);
  const isHeld = (port: number) => holders.of(port) !== undefined;
  const spares = createSparePorts(isHeld);
  const isTaken = (port: number) => isHeld(port) || spares.has(port);
  const search = createSearch(range, isTaken, () => holders.inRange > range.max - range.min, isFree);
  /** Programs that found no port of the range free. */
  const outOfPorts = new Set<string>();

  /** Who waits for a port that was just let go of has it, or learns of it, now and not when it happens to look again. */
  function passOn(from: string, port: number, to?: string): void {
    const waiting = pins.waitingFor(port).filter((name) => name !== from);
    const next = to ?? waiting.find(pins.isReady);
    if (next !== undefined) holders.set(port, next);
    for (const name of next === undefined ? waiting : [next]) onTurn(name);
    const [first] = next === undefined && port >= range.min && port <= range.max ? outOfPorts : [];
    if (first !== undefined && outOfPorts.delete(first)) onTurn(first);
  }

  function release(name: string, ...keep: number[]): void {
    // What is given up for another is that one's: somebody else who waits for it would close a new circle.
    const given = pins.yields(name);
    const freed = holders.portsOf(name).filter((port) => !keep.includes(port));
    for (const port of freed) holders.delete(port);
    for (const port of freed) passOn(name, port, given?.port === port ? given.to : undefined);
  }

  const reserve: Ports['reserve'] = async (name, avoid = new Set(), hasUseForSpare = true) => {
    const first = hasUseForSpare ? spares.find(avoid) : undefined;
    const take = (port: number) => holders.set(port, name);
    const port = first ?? (await search(avoid, take, holders.delete)) ?? spares.find(avoid);
    outOfPorts.delete(name);
    if (port !== undefined && hold(name, port)) return port;
    outOfPorts.add(name);
    throw exhausted(range);
  };

  function hold(name: string, port: number): boolean {
    const holder = holders.of(port) ?? name;
    if (holder !== name) return false;
    const isSpare = !isHeld(port) && spares.has(port);
    holders.set(port, name);
    if (isSpare) options.onSpareHeld?.();
    return true;
  }

  return {
    ...{ pins, release, reserve, hold },
    isFree: async (port) => spares.has(port) || isFree(port),
    setSpares: spares.set,
    addSpare: () => addSpare(spares, search, isHeld),
    holder: holders.of,
    held: (name) => holders.portsOf(name)[0] ?? 0,
    serve(name, port) {
      const holder = holders.of(port);
      if (holder === undefined || pins.isPinnedBy(holder, port)) holders.set(port, name);
    },
    setReady(name, isReady) {
      const yielder = pins.setReady(name, isReady);
      if (yielder !== undefined) onTurn(yielder);
    },
    forget(name) {
      pins.set(name, undefined);
      outOfPorts.delete(name);
      release(name);
    },
  };
}

async function addSpare(
  spares: SparePorts,
  search: Search,
  isHeld: (port: number) => boolean,
): Promise<number | undefined> {
  const port = await search(new Set(), spares.add, spares.delete);
  if (port === undefined || !isHeld(port)) return port;
  // Somebody came to pin it while it was looked at.
  spares.delete(port);
  return undefined;
}

function exhausted({ min, max }: PortRange): AppError {
  return new AppError('PortsExhausted', `no port is free between ${min} and ${max}`, {
    hint: 'Delete programs that are not needed, or start the host with a wider --port-range.',
  });
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
