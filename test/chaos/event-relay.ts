import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineAddress } from '../setup/engine-address.ts';

/** A way to an engine on which a test keeps the events back, or breaks their stream. */
export interface EventRelay {
  /** For DOCKER_HOST. */
  url: string;
  /** While muted, event streams open and stay open, and nothing ever comes: what was said meanwhile is lost. */
  mute(muted: boolean): void;
  /** Breaks the event streams there are, and nothing else. */
  dropEvents(): void;
  /** Takes no new event stream while on: the connection is broken as soon as it is asked for. */
  refuseEvents(on: boolean): void;
  /** Event streams that are open. */
  open(): number;
  close(): Promise<void>;
}

const EVENTS = /^GET \/(v[\d.]+\/)?events\?/;
const HEAD_END = '\r\n\r\n';

/** @param engine where it listens; by default that of the tests */
export async function openEventRelay(engine: NetConnectOpts = engineAddress()): Promise<EventRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'hersh-event-relay-'));
  const path = join(folder, 'docker.sock');
  const sockets = new Set<Socket>();
  const streams = new Set<Socket>();
  let muted = false;
  let refusing = false;

  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...engine, allowHalfOpen: true });
    let headSeen = false;
    for (const [socket, peer] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('end', () => peer.end());
      socket.once('close', () => {
        sockets.delete(socket);
        streams.delete(near);
        peer.destroy();
      });
    }
    near.on('data', (chunk: Buffer) => {
      // A request begins a piece of its own: Node writes the head of one at once, and only after the last answer.
      if (EVENTS.test(chunk.toString('latin1', 0, 40))) {
        if (refusing) {
          near.destroy();
          return;
        }
        headSeen = false;
        streams.add(near);
      }
      if (!far.write(chunk)) {
        near.pause();
        far.once('drain', () => near.resume());
      }
    });
    far.on('data', (chunk: Buffer) => {
      const passed = streams.has(near) && muted ? headOf(chunk) : chunk;
      headSeen = true;
      if (passed.length > 0 && !near.write(passed)) {
        far.pause();
        near.once('drain', () => far.resume());
      }
    });
    const headOf = (chunk: Buffer): Buffer => {
      const end = headSeen ? -1 : chunk.indexOf(HEAD_END);
      return chunk.subarray(0, end < 0 ? 0 : end + HEAD_END.length);
    };
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));

  return {
    url: `unix://${path}`,
    mute(on) {
      muted = on;
    },
    dropEvents() {
      for (const stream of streams) stream.destroy();
    },
    refuseEvents(on) {
      refusing = on;
    },
    open: () => streams.size,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
