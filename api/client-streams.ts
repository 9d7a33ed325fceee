import type { BuildRecord } from '../schemas/build-step.ts';
import type { LogMessage } from '../schemas/log-line.ts';
import type { ProgramBody } from './routes/view.ts';
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.ts';

/** An event as `GET /events` has it. */
export interface NamedEventBody {
  program_id: string;
  time: string;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  state: string;
  revision: number;
  author?: string;
}

/** One message of the feed. `id` is what to go on behind, `""` where that is not the place to. */
export type FeedMessage = { id: string } & (
  | { type: 'program'; data: ProgramBody }
  | { type: 'removed'; data: { program_id: string } }
  | { type: 'event'; data: NamedEventBody }
  /** All programs follow, and then `synced`: who is not among them is gone. */
  | { type: 'snapshot'; data: { count: number } }
  | { type: 'synced'; data: Record<string, never> }
);

/** Called whenever anything comes, be it only the sign that the stream is still there. */
export type OnHeard = () => void;

/** What comes as it comes. Each ends with its stream; one that breaks off, or whose signal fires, rejects. */
export interface Followers {
  /** What changes. @param lastId of the last message that had one */
  follow(lastId: string, signal: AbortSignal, onHeard?: OnHeard): AsyncGenerator<FeedMessage>;
  /**
   * What a program prints, over all its runs. @param after the id of the last line that is known, or the `after` of a
   * page
   */
  followLogs(
    name: string,
    after: string | undefined,
    signal: AbortSignal,
    onHeard?: OnHeard,
  ): AsyncGenerator<LogMessage>;
  /** The newest build, until it has ended: what it is put together of, see `takeRecord`. @param lastId as with `follow` */
  followBuild(
    name: string,
    lastId: string,
    signal: AbortSignal,
    onHeard?: OnHeard,
  ): AsyncGenerator<{ id: string; record: BuildRecord }>;
}

/** @param ask asks the host, and rejects where it refuses */
export function createFollowers(ask: (path: string, init: RequestInit) => Promise<Response>): Followers {
  async function* events(
    path: string,
    lastId: string,
    signal: AbortSignal,
    onHeard: OnHeard = () => undefined,
  ): AsyncGenerator<ServerSentEvent> {
    const headers: Record<string, string> = lastId === '' ? {} : { 'Last-Event-ID': lastId };
    const { body } = await ask(path, { signal, headers });
    if (body !== null) yield* serverSentEvents(chunksOf(body, onHeard));
  }
  return {
    async *follow(lastId, signal, onHeard) {
      let last = lastId;
      for await (const { id, type, data } of events('/events?follow=true', lastId, signal, onHeard)) {
        // An id that stands since an earlier message is none of this one.
        const own = id === last ? '' : id;
        last = id;
        yield { id: own, type, data: JSON.parse(data) } as FeedMessage;
      }
    },
    async *followLogs(name, after, signal, onHeard) {
      const path = at(name, `/logs${queryOf({ format: 'json', follow: 'true', after })}`);
      for await (const { type, data } of events(path, '', signal, onHeard))
        yield { event: type, data: JSON.parse(data) } as LogMessage;
    },
    async *followBuild(name, lastId, signal, onHeard) {
      const path = at(name, '/build-log?format=json&follow=true');
      for await (const { id, type, data } of events(path, lastId, signal, onHeard))
        yield { id, record: { kind: type, ...JSON.parse(data) } as BuildRecord };
    },
  };
}

/** The path of a program. */
export function at(name: string, rest = ''): string {
  return `/programs/${encodeURIComponent(name)}${rest}`;
}

/** Those that are given, behind a `?`. */
export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** Not every browser lets a stream be iterated. */
async function* chunksOf(stream: ReadableStream<Uint8Array>, onHeard: OnHeard): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onHeard();
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
