import { Pool } from 'undici';

/** Where programs listen: on no other address of the machine. */
export const TARGET_HOST = '127.0.0.1';

/** Connections to programs that are kept for the next request. */
export interface Pools {
  /** Those to a port of this machine. */
  at(port: number): Pool;
  /** Breaks off all that is under way. */
  close(): Promise<void>;
}

/** @param firstByteMsMax how long a program may take to connect, and to its first byte; milliseconds */
export function createPools(firstByteMsMax: number): Pools {
  const pools = new Map<number, Pool>();
  return {
    at(port) {
      const known = pools.get(port);
      if (known !== undefined) return known;
      const made = new Pool(`http://${TARGET_HOST}:${port}`, {
        headersTimeout: firstByteMsMax,
        bodyTimeout: 0,
        connectTimeout: firstByteMsMax,
        maxHeaderSize: 64 * 1024,
      });
      // Ports come and go with programs; a pool without connections is kept for nothing.
      made.on('disconnect', () => {
        const { connected, running, pending } = made.stats;
        if (connected + running + pending === 0 && pools.get(port) === made) pools.delete(port);
      });
      pools.set(port, made);
      return made;
    },
    async close() {
      const all = [...pools.values()];
      pools.clear();
      await Promise.all(all.map((pool) => pool.destroy().catch(() => {})));
    },
  };
}
