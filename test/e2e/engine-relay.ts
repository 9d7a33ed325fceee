import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineAddress } from '../setup/engine-address.ts';

/** A way to the engine of the tests that a test can open and cut, while the engine itself runs on. */
export interface EngineRelay {
  /** For DOCKER_HOST. */
  url: string;
  open(): Promise<void>;
  /** Nobody listens any more, and all connections are broken. */
  cut(): Promise<void>;
  close(): Promise<void>;
}

/** Cut at first. */
export function createEngineRelay(): EngineRelay {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-relay-'));
  const path = join(folder, 'none.sock');
  const sockets = new Set<Socket>();
  let server: Server | undefined;

  const relayTo = (client: Socket): void => {
    const engine = connect(engineAddress());
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  };
  const relay: EngineRelay = {
    url: `unix://${path}`,
    open() {
      const next = createServer({ allowHalfOpen: true }, relayTo);
      server = next;
      return new Promise((resolve, reject) => next.once('error', reject).listen(path, resolve));
    },
    async cut() {
      const current = server;
      if (current === undefined) return;
      server = undefined;
      const closed = new Promise<void>((resolve) => current.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async close() {
      await relay.cut();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return relay;
}
