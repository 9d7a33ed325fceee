import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError } from '../../schemas/errors.ts';
import { proxyUrl } from '../../schemas/program.ts';
import { emptyStatus } from '../../schemas/status.ts';
import type { Ports } from './ports.ts';

/** Programs that are about to be created: their port is held and their ledger written before their manifest is. */
export interface Reservations {
  /**
   * Holds a port and writes the ledger that keeps it, in state Created. Rejects `PortsExhausted`, and
   * `Conflict` where the name has a ledger, which is not this one's to write over: of a program that is being created by
   * another call, or still being removed.
   */
  reserve(name: string, userId: string, buildId: string): Promise<{ port: number; createdAt: string }>;
  /** The manifest is written: the ledger is the program's own from now on. */
  fulfil(name: string): void;
  /** Gives back what `reserve` took, when the manifest could not be written. */
  unreserve(name: string): Promise<void>;
}

export function createReservations(registry: Registry, ports: Ports, clock: Clock): Reservations {
  /** What ends each announcement. */
  const announced = new Map<string, () => void>();

  const fulfil = (name: string): void => {
    announced.get(name)?.();
    announced.delete(name);
  };

  async function unreserve(name: string): Promise<void> {
    ports.forget(name);
    await registry.status.remove(name);
    fulfil(name);
  }

  return {
    fulfil,
    unreserve,
    async reserve(name, userId, buildId) {
      if (announced.has(name) || registry.status.get(name) !== undefined) throw taken(name);
      announced.set(name, registry.announce(name));
      const status = emptyStatus(name, clock.now());
      try {
        const port = await ports.reserve(name);
        const held = { ...status, userId, buildId, publishPort: port, proxyUrl: proxyUrl(port) };
        await registry.status.put(held, { durable: true });
        return { port, createdAt: status.createdAt };
      } catch (error) {
        await unreserve(name);
        throw error;
      }
    },
  };
}

function taken(name: string): AppError {
  return new AppError('Conflict', `the name ${name} is in use: a program is being created or removed there`, {
    hint: 'Try again in a moment, or take another name.',
  });
}
