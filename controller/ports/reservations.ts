import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { proxyUrl } from '../../schemas/program.ts';
import { emptyStatus } from '../../schemas/status.ts';
import type { Ports } from './ports.ts';

/** Programs that are about to be created: their port is held and their ledger written before their manifest is. */
export interface Reservations {
  /** Holds a port and writes the ledger that keeps it, in state Created. Rejects `PortsExhausted`. */
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
