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

interface Stream<T> {
  /** Behind an id, or from its beginning (`""`). */
  open(lastId: string, onOpen: () => void): AsyncIterable<T>;
  /** Nothing comes after it. */
  isLast(message: T): boolean;
  /** It ends without a word where there is nothing to follow; of others such an end is the host's. */
  mayBeEmpty: boolean;
}

/**
 * What a stream of the host brings, on over restarts of the host, which are told on stderr. One that can not be had at
 * all rejects; so does one that the host refuses when it is back.
 */
async function* overRestarts<T extends { id: string }>(
  io: Io,
  host: Host,
  { open, isLast, mayBeEmpty }: Stream<T>,
): AsyncGenerator<T> {
  let lastId = '';
  const restarts = createRestarts(io, host);
  for (;;) {
    try {
      let isSilent = true;
      for await (const message of open(lastId, restarts.onAnswer)) {
        isSilent = false;
        if (message.id !== '') lastId = message.id;
        yield message;
        if (isLast(message)) return;
      }
      if (isSilent && mayBeEmpty) return;
    } catch (error) {
      restarts.mustBeOne(error);
    }
    await restarts.pause();
  }
}

/**
 * What a route of the host answers, again and again, on over restarts of the host, which are told on stderr.
 * @param everyMs between two looks
 */
export async function* lookAgain<T>(
  io: Io,
  host: Host,
  look: () => Promise<T>,
  everyMs: number,
): AsyncGenerator<T> {
  const restarts = createRestarts(io, host);
  for (;;) {
    let found: { body: T } | undefined;
    try {
      found = { body: await look() };
      restarts.onAnswer();
    } catch (error) {
      restarts.mustBeOne(error);
    }
    if (found === undefined) {
      await restarts.pause();
      continue;
    }
    yield found.body;
    await io.delay(everyMs, io.signal);
    if (io.signal.aborted) throw new Interrupted();
  }
}

/** Tells whether the host is there, on stderr, each time that this changes. */
function createRestarts(io: Io, host: Host) {
  let isKnown = false;
  let isAway = false;
  return {
    onAnswer() {
      if (isAway) io.stderr.write('the host is back\n');
      isAway = false;
      isKnown = true;
    },
    /** Throws what is no restart: Ctrl-C, a host that never answered, one that refuses, a tunnel that is no more. */
    mustBeOne(error: unknown) {
      if (io.signal.aborted) throw new Interrupted();
      const isRefused = error instanceof ApiError && error.status >= 400 && error.status < 500;
      if (!isKnown || isRefused) throw error;
      const lost = host.lostTunnel();
      if (lost !== undefined) throw lost;
    },
    /** Until it may be back. */
    async pause() {
      if (!isAway) io.stderr.write('the host is away; waiting for it (Ctrl-C ends this command only)\n');
      isAway = true;
      await io.delay(RETRY_MS, io.signal);
      if (io.signal.aborted) throw new Interrupted();
    },
  };
}

/** What changes on the host, from a snapshot on. */
export function followFeed(io: Io, host: Host): AsyncGenerator<FeedMessage> {
  return overRestarts(io, host, {
    open: (lastId, onOpen) => host.client.follow(lastId, io.signal, onOpen),
    isLast: () => false,
    mayBeEmpty: false,
  });
}

/**
 * Server-sent events of one program, until one of the type `last` comes.
 * With `mayBeEmpty` a stream that ends without a word is over too.
 */
export function followTold(
  io: Io,
  host: Host,
  path: string,
  { last, mayBeEmpty }: { last: string; mayBeEmpty: boolean },
): AsyncGenerator<Told> {
  return overRestarts(io, host, {
    open: (lastId, onOpen) => told(io, host, path, { lastId, onOpen }),
    isLast: ({ type }) => type === last,
    mayBeEmpty,
  });
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
