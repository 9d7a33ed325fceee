/** The API as functions: what the page and the command ask a host by. Knows `fetch`, and nothing of Node. */

import type { Build, BuildSummary } from '../schemas/build-step.ts';
import type { HostView } from '../schemas/host-view.ts';
import type { DryRun, RevisionView, Validation } from './deps.ts';
import type { ErrorBody } from './errors.ts';
import type { UsageBody } from './routes/usage.ts';
import type { ProgramBody } from './routes/view.ts';
import { serverSentEvents } from './server-sent-events.ts';

export interface ClientOptions {
  /** e.g. `http://localhost:9000`; `""` for the page's own host. */
  base: string;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
  fetch?: typeof fetch;
}

/** What a host refused, in its words; `status` 0 where none answered. */
export class ApiError extends Error {
  readonly status: number;
  readonly hint: string;
  readonly details: NonNullable<ErrorBody['details']>;

  constructor(status: number, message: string, { hint = '', details = [] }: Partial<ErrorBody> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.hint = hint;
    this.details = details;
  }
}

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

/** What a `POST /programs` brings, and a `PUT …/sources`. */
export interface SourcesBody {
  dockerfile: string;
  src_files?: Readonly<Record<string, string>>;
}

/** What a wish came to. */
export interface WishBody {
  program_id: string;
  state: string;
  message: string;
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

/** Every call rejects `ApiError`. Names are encoded here. */
export interface Client {
  programs(filter?: { user_id?: string; state?: string }): Promise<ProgramBody[]>;
  program(name: string): Promise<ProgramBody>;
  create(
    body: SourcesBody & { user_id: string; name?: string },
  ): Promise<WishBody & { build_id: string; proxy_url: string }>;
  remove(name: string): Promise<void>;
  wish(name: string, wish: 'start' | 'stop' | 'restart'): Promise<WishBody>;
  pull(name: string): Promise<WishBody & { changed: boolean; image_id: string }>;
  /** @param revision left out: the newest earlier one that was ready */
  rollBack(name: string, revision?: number): Promise<WishBody & { revision: number }>;
  revisions(name: string): Promise<RevisionView[]>;
  /** Files by name. */
  source(name: string): Promise<Record<string, string>>;
  putSources(name: string, body: SourcesBody): Promise<WishBody & { build_id: string; changed: boolean }>;
  manifest(name: string): Promise<{ text: string; etag: string }>;
  /** @param etag of the text that was edited; undefined for a new program */
  putManifest(name: string, text: string, etag?: string): Promise<{ etag: string; created: boolean }>;
  dryRun(name: string, text: string): Promise<DryRun>;
  validate(text: string): Promise<{ valid: boolean } & Validation>;
  events(name?: string): Promise<Omit<NamedEventBody, 'program_id'>[]>;
  /** What it uses of CPU and memory, with a series where a range is given. */
  usage(name: string, range?: '1h' | '7d'): Promise<UsageBody>;
  /** Of all programs, each with a short series of the last hour. */
  usages(): Promise<UsageBody[]>;
  /** What is kept of builds, the newest first. */
  builds(name: string): Promise<BuildSummary[]>;
  /** A build by its steps; the newest where none is named. */
  build(name: string, id?: string): Promise<Build>;
  host(): Promise<HostView>;
  /** Gives the names that it let go. */
  prune(only?: 'programs' | 'strays'): Promise<string[]>;
  /**
   * What changes, until the stream ends or breaks off, which rejects. @param lastId of the last message that had one,
   * @param onHeard called whenever anything comes, be it only the sign that the stream is still there
   */
  follow(lastId: string, signal: AbortSignal, onHeard?: () => void): AsyncGenerator<FeedMessage>;
}

export function createClient({ base, headers = {}, fetch: send = fetch }: ClientOptions): Client {
  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const all = { ...headers, ...(init.headers as Record<string, string> | undefined) };
    const answer = await send(`${base}${path}`, { ...init, headers: all }).catch((cause: unknown) => {
      if (init.signal?.aborted === true) throw cause;
      throw new ApiError(0, 'the host does not answer', {
        hint: `Does it run at ${base || 'this address'}?`,
      });
    });
    if (!answer.ok) throw await errorOf(answer);
    return answer;
  }
  const get = async <T>(path: string) => (await (await ask(path)).json()) as T;
  const call = async <T>(method: string, path: string, body?: unknown) => {
    const json = { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    return (await (await ask(path, { method, ...(body === undefined ? {} : json) })).json()) as T;
  };
  const yaml = (method: string, path: string, text: string, more: Record<string, string> = {}) =>
    ask(path, { method, body: text, headers: { 'Content-Type': 'application/yaml', ...more } });
  const at = (name: string, rest = '') => `/programs/${encodeURIComponent(name)}${rest}`;

  return {
    programs: async (filter = {}) =>
      (await get<{ programs: ProgramBody[] }>(`/programs${queryOf({ ...filter })}`)).programs,
    program: (name) => get(at(name)),
    create: (body) => call('POST', '/programs', body),
    remove: async (name) => void (await call('DELETE', at(name))),
    wish: (name, wish) => call('POST', at(name, `/${wish}`)),
    pull: (name) => call('POST', at(name, '/pull')),
    rollBack: (name, revision) =>
      call('POST', at(name, '/rollback'), revision === undefined ? undefined : { revision }),
    revisions: async (name) => (await get<{ revisions: RevisionView[] }>(at(name, '/revisions'))).revisions,
    source: async (name) => (await get<{ files: Record<string, string> }>(at(name, '/source'))).files,
    putSources: (name, body) => call('PUT', at(name, '/sources'), body),
    async manifest(name) {
      const answer = await ask(at(name, '/manifest'));
      return { text: await answer.text(), etag: answer.headers.get('ETag') ?? '' };
    },
    async putManifest(name, text, etag) {
      const more: Record<string, string> = etag === undefined ? {} : { 'If-Match': etag };
      const answer = await yaml('PUT', at(name, '/manifest'), text, more);
      return { etag: answer.headers.get('ETag') ?? '', created: answer.status === 201 };
    },
    dryRun: async (name, text) =>
      (await (await yaml('PUT', at(name, '/manifest?dry_run=true'), text)).json()) as DryRun,
    validate: async (text) =>
      (await (await yaml('POST', '/validate', text)).json()) as { valid: boolean } & Validation,
    events: async (name) =>
      (await get<{ events: NamedEventBody[] }>(name === undefined ? '/events' : at(name, '/events'))).events,
    usage: (name, range) => get(at(name, `/usage${queryOf({ range })}`)),
    usages: async () => (await get<{ programs: UsageBody[] }>('/usage?series=true')).programs,
    builds: async (name) => (await get<{ builds: BuildSummary[] }>(at(name, '/builds'))).builds,
    build: (name, build) => get(at(name, `/build-log${queryOf({ format: 'json', build })}`)),
    host: () => get('/host'),
    prune: async (only) =>
      (await call<{ programs: string[] }>('POST', `/registry/prune${queryOf({ only })}`)).programs,
    async *follow(lastId, signal, onHeard = () => undefined) {
      const more: Record<string, string> = lastId === '' ? {} : { 'Last-Event-ID': lastId };
      const { body } = await ask('/events?follow=true', { signal, headers: more });
      if (body === null) return;
      let last = lastId;
      for await (const { id, type, data } of serverSentEvents(chunksOf(body, onHeard))) {
        // An id that stands since an earlier message is none of this one.
        const own = id === last ? '' : id;
        last = id;
        yield { id: own, type, data: JSON.parse(data) } as FeedMessage;
      }
    },
  };
}

async function errorOf(answer: Response): Promise<ApiError> {
  const text = await answer.text().catch(() => '');
  try {
    const body = JSON.parse(text) as ErrorBody;
    return new ApiError(answer.status, body.message, body);
  } catch {
    // Somebody else's words, as a web server's in between.
    return new ApiError(answer.status, text.slice(0, 200) || answer.statusText);
  }
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** Not every browser lets a stream be iterated. */
async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  onHeard: () => void,
): AsyncGenerator<Uint8Array> {
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
