import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineAddress } from '../setup/engine-address.ts';

export interface CuttableEngine {
  /** For DOCKER_HOST. */
  host: string;
  /** Breaks every connection there is. */
  cut(): void;
  /** Whether new connections are broken at once. */
  refuse(on: boolean): void;
  /** Whether connections are taken and nothing passes on any of them. */
  freeze(on: boolean): void;
  close(): Promise<void>;
}

/** The engine of the tests behind a socket of our own, so that a test can take it away without ending it. */
export async function openCuttableEngine(): Promise<CuttableEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-cuttable-'));
  const path = join(folder, 'docker.sock');
  const sockets = new Set<Socket>();
  let refusing = false;
  let frozen = false;

  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (refusing) {
      near.destroy();
      return;
    }
    const far = connect({ ...engineAddress(), allowHalfOpen: true });
    for (const [socket, peer] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
    if (frozen) for (const socket of [near, far]) socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));

  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    host: `unix://${path}`,
    cut,
    refuse(on) {
      refusing = on;
    },
    freeze(on) {
      frozen = on;
      for (const socket of sockets) {
        if (on) socket.pause();
        else socket.resume();
      }
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
