import { ApiError, type FeedMessage } from '../../client.ts';
import { serverSentEvents } from '../../server-sent-events.ts';
import { Interrupted } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import type { Host } from './host.ts';

/** Between looks for a host that is away. */
const RETRY_MS = 1_000;

/** What a stream brings. */
export interface Told {
  /** What to go on behind; `""` where that is not the place to. */
  id: string;
  type: string;
  data: unknown;
}

/**
 * What a stream of the host brings, on over restarts of the host, which are told on stderr. One that can not be had at
 * all rejects; so does one that the host refuses when it is back.
 * @param open the stream, behind an id or from its beginning (`""`)
 * @param isLast nothing comes after it
 */
async function* overRestarts<T extends { id: string }>(
  io: Io,
  host: Host,
  open: (lastId: string, onOpen: () => void) => AsyncIterable<T>,
  isLast: (message: T) => boolean,
): AsyncGenerator<T> {
  let lastId = '';
  let isKnown = false;
  let isAway = false;
  const onOpen = () => {
    if (isAway) io.stderr.write('the host is back\n');
    isAway = false;
    isKnown = true;
  };
  for (;;) {
    try {
      let isSilent = true;
      for await (const message of open(lastId, onOpen)) {
        isSilent = false;
        if (message.id !== '') lastId = message.id;
        yield message;
        if (isLast(message)) return;
      }
      // One that has nothing to tell and ends is not broken off: there is nothing to follow.
      if (isSilent) return;
    } catch (error) {
      if (io.signal.aborted) throw new Interrupted();
      const isRefused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      if (!isKnown || isRefused) throw error;
      const lost = host.lostTunnel();
      if (lost !== undefined) throw lost;
    }
    if (!isAway) io.stderr.write('the host is away; waiting for it (Ctrl-C ends this command only)\n');
    isAway = true;
    await io.delay(RETRY_MS, io.signal);
    if (io.signal.aborted) throw new Interrupted();
  }
}

/** What changes on the host, from a snapshot on. */
export function followFeed(io: Io, host: Host): AsyncGenerator<FeedMessage> {
  return overRestarts(
    io,
    host,
    (lastId, onOpen) => host.client.follow(lastId, io.signal, onOpen),
    () => false,
  );
}

/** Server-sent events of one program, until one of the type `last` comes. */
export function followTold(io: Io, host: Host, path: string, last: string): AsyncGenerator<Told> {
  return overRestarts(
    io,
    host,
    (lastId, onOpen) => told(io, host, path, { lastId, onOpen }),
    ({ type }) => type === last,
  );
}

async function* told(
  io: Io,
  host: Host,
  path: string,
  { lastId, onOpen }: { lastId: string; onOpen: () => void },
): AsyncGenerator<Told> {
  const headers: Record<string, string> = lastId === '' ? {} : { 'Last-Event-ID': lastId };
  const { body } = await host.ask(path, { headers, signal: io.signal });
  onOpen();
  if (body === null) return;
  for await (const { id, type, data } of serverSentEvents(body)) yield { id, type, data: JSON.parse(data) };
}
