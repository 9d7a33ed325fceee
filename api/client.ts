/** The API as functions: what the page and the command ask a host by. Knows `fetch`, and nothing of Node. */

import type { Build, BuildSummary } from '../schemas/build-step.ts';
import type { HostView } from '../schemas/host-view.ts';
import type { LogPage } from '../schemas/log-line.ts';
import { at, createFollowers, type Followers, type NamedEventBody, queryOf } from './client-streams.ts';
import type { ErrorBody } from './errors.ts';
import type { DryRun, RevisionFile, RevisionView, Validation } from './program-answers.ts';
import type { SandboxBody } from './routes/sandbox.ts';
import type { UsageBody } from './routes/usage.ts';
import type { PausedBody, ProgramBody } from './routes/view.ts';

export type { FeedMessage, NamedEventBody } from './client-streams.ts';

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
  /** That it waits, since the program is paused. */
  note?: string;
}

/** Who has the host leave something alone, and what for. */
export type PauseWish = Partial<Pick<PausedBody, 'by' | 'why'>>;

export interface PauseAnswer {
  program_id: string;
  message: string;
  /** What holds it now. */
  paused: PausedBody | null;
}

export interface HostPauseAnswer {
  message: string;
  paused: Omit<PausedBody, 'of'> | null;
  /** Those that are paused by their own name. */
  programs: string[];
}

/** Which lines of a log are wanted. */
export interface LogWish {
  /** So many from the end; 200 where nothing says otherwise, and 10,000 at most. */
  tail?: number | 'all';
  /** A time, as RFC 3339 or as a number since 1970 whose size tells its unit. */
  since?: string;
  /** Only older ones than this: the id of a line, or the `before` of a page. */
  before?: string;
  /** Only newer ones. */
  after?: string;
}

/** A page of what a program printed. */
export interface LogPageBody extends Omit<LogPage, 'containerId'> {
  program_id: string;
  container_id: string;
}

/** Every call rejects `ApiError`. Names are encoded here. */
export interface Client extends Followers {
  programs(filter?: { user_id?: string; state?: string }): Promise<ProgramBody[]>;
  program(name: string): Promise<ProgramBody>;
  create(
    body: SourcesBody & { user_id: string; name?: string },
  ): Promise<WishBody & { build_id: string; proxy_url: string }>;
  remove(name: string): Promise<{ note?: string }>;
  pause(name: string, wish?: PauseWish): Promise<PauseAnswer>;
  /** Of one that was deleted while it was paused, too. */
  resume(name: string, wish?: PauseWish): Promise<PauseAnswer>;
  /** Everything. */
  pauseHost(wish?: PauseWish): Promise<HostPauseAnswer>;
  resumeHost(wish?: PauseWish): Promise<HostPauseAnswer>;
  wish(name: string, wish: 'start' | 'stop' | 'restart'): Promise<WishBody>;
  pull(name: string): Promise<WishBody & { changed: boolean; image_id: string }>;
  /** @param revision left out: the newest earlier one that was ready */
  rollBack(name: string, revision?: number): Promise<WishBody & { revision: number }>;
  revisions(name: string): Promise<RevisionView[]>;
  /** What it was built from, without the contents; null where that is not kept any more. */
  revisionFiles(name: string, revision: number): Promise<RevisionFile[] | null>;
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
  /** What holds the network of its container; all null where that has its own. */
  sandbox(name: string): Promise<SandboxBody>;
  /** Of all programs, each with a short series of the last hour. */
  usages(): Promise<UsageBody[]>;
  /** What is kept of builds, the newest first. */
  builds(name: string): Promise<BuildSummary[]>;
  /** A build by its steps; the newest where none is named. */
  build(name: string, id?: string): Promise<Build>;
  host(): Promise<HostView>;
  /** Gives the names that it let go. */
  prune(only?: 'programs' | 'strays'): Promise<string[]>;
  logs(name: string, wish?: LogWish): Promise<LogPageBody>;
  /** All that the engine keeps of the output, as text. @param hasTimes each line behind its time */
  logText(name: string, hasTimes: boolean): Promise<string>;
  /** What the program itself answers there, through the host: JSON. @param path e.g. `/watcher/status` */
  ask(name: string, path: string): Promise<unknown>;
  /** Sends a message to the program's WatcherAPI. */
  tell(name: string, content: string): Promise<void>;
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

  return {
    programs: async (filter = {}) =>
      (await get<{ programs: ProgramBody[] }>(`/programs${queryOf({ ...filter })}`)).programs,
    program: (name) => get(at(name)),
    create: (body) => call('POST', '/programs', body),
    remove: (name) => call('DELETE', at(name)),
    ...createPauses((path, wish = {}) => call('POST', path, wish)),
    wish: (name, wish) => call('POST', at(name, `/${wish}`)),
    pull: (name) => call('POST', at(name, '/pull')),
    rollBack: (name, revision) =>
      call('POST', at(name, '/rollback'), revision === undefined ? undefined : { revision }),
    revisions: async (name) => (await get<{ revisions: RevisionView[] }>(at(name, '/revisions'))).revisions,
    revisionFiles: async (name, revision) =>
      (await get<{ files: RevisionFile[] | null }>(at(name, `/revisions/${revision}/files`))).files,
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
    ...createOfRunning(get),
    builds: async (name) => (await get<{ builds: BuildSummary[] }>(at(name, '/builds'))).builds,
    build: (name, build) => get(at(name, `/build-log${queryOf({ format: 'json', build })}`)),
    host: () => get('/host'),
    prune: async (only) =>
      (await call<{ programs: string[] }>('POST', `/registry/prune${queryOf({ only })}`)).programs,
    logs: (name, { tail, ...wish } = {}) =>
      get(
        at(name, `/logs${queryOf({ format: 'json', ...wish, tail: tail === undefined ? tail : `${tail}` })}`),
      ),
    logText: async (name, hasTimes) =>
      (await get<{ logs: string }>(at(name, `/logs?tail=all&timestamps=${hasTimes}`))).logs,
    ask: (name, path) => get(at(name, `/proxy${path}`)),
    tell: async (name, content) => void (await call('POST', at(name, '/proxy/watcher/message'), { content })),
    ...createFollowers(ask),
  };
}

function createPauses(
  ask: <T>(path: string, wish: PauseWish | undefined) => Promise<T>,
): Pick<Client, 'pause' | 'resume' | 'pauseHost' | 'resumeHost'> {
  return {
    pause: (name, wish) => ask(at(name, '/pause'), wish),
    resume: (name, wish) => ask(at(name, '/resume'), wish),
    pauseHost: (wish) => ask('/host/pause', wish),
    resumeHost: (wish) => ask('/host/resume', wish),
  };
}

/** What is asked of programs that run. */
function createOfRunning(get: <T>(path: string) => Promise<T>): Pick<Client, 'usage' | 'usages' | 'sandbox'> {
  return {
    usage: (name, range) => get(at(name, `/usage${queryOf({ range })}`)),
    usages: async () => (await get<{ programs: UsageBody[] }>('/usage?series=true')).programs,
    sandbox: (name) => get(at(name, '/sandbox')),
  };
}

async function errorOf(answer: Response): Promise<ApiError> {
  const text = await answer.text().catch(() => '');
  try {
    const body = JSON.parse(text) as ErrorBody;
    // A program's own words, through the proxy, are what it likes.
    const message = typeof body.message === 'string' ? body.message : text.slice(0, 200);
    return new ApiError(answer.status, message, body);
  } catch {
    // Somebody else's words, as a web server's in between.
    return new ApiError(answer.status, text.slice(0, 200) || answer.statusText);
  }
}
