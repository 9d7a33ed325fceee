import { createHash } from 'node:crypto';
import { EventEmitter, on, once } from 'node:events';
import type { ApiDeps, Health } from '../../api/deps.ts';
import type {
  LogPageRequest,
  ProgramLogOptions,
  ProgramView,
  RevisionView,
  SandboxView,
} from '../../api/program-answers.ts';
import { type Build, emptyBuild, summaryOf } from '../../schemas/build-step.ts';
import { AppError } from '../../schemas/errors.ts';
import type { ExecPiece, ExecRequest } from '../../schemas/exec.ts';
import type { HostView } from '../../schemas/host-view.ts';
import type { LogMessage, LogPage } from '../../schemas/log-line.ts';
import type { LogPiece } from '../../schemas/log-piece.ts';
import type { NamedEvent, ProgramEvent } from '../../schemas/program.ts';
import type { UsageFigures } from '../../schemas/usage.ts';
import { fakePauses } from './fake-pauses.ts';
import { CREATED_AT, fakeView } from './fake-view.ts';

function fakeRevision(revision: number): RevisionView {
  return {
    revision,
    created_at: CREATED_AT,
    author: 'my-user',
    commit: '',
    build_id: 'build-0123456789ab',
    image_id: 'sha256:11',
    outcome: 'Ready',
    message: '',
    log: '',
    current: revision === 2,
    spec: { userId: 'my-user', image: 'busybox' },
  };
}

/** What a test can look at and turn, besides the deps themselves. */
export interface FakeHost {
  deps: ApiDeps;
  views: Map<string, ProgramView>;
  manifests: Map<string, string>;
  /** Every write, as `verb name argument`. */
  calls: string[];
  /** Codes that were told of requests through the proxy. */
  proxied: number[];
  /** Everything logged at warn and error. */
  logged: { fields: object; message: string }[];
  put(view: ProgramView): void;
  /** How many want to know when the program changes. */
  watched(name: string): number;
  emit(name: string, event: ProgramEvent): void;
  /** Aborted signals of followers, by the order they were opened. */
  signals: AbortSignal[];
  health: Health;
  view: HostView;
  logChunks: Uint8Array[];
  /** Times of those chunks; of one beyond, or `''`: it goes on what the one before began. */
  logTimes: string[];
  lastLogOptions: ProgramLogOptions | undefined;
  /** What is answered as data, and what was asked for last. */
  logPage: LogPage;
  logMessages: LogMessage[];
  lastLogPage: LogPageRequest | undefined;
  build: Build;
  buildChunks: Uint8Array[];
  /** What a command writes at first, see `fakeExec`. */
  execPieces: ExecPiece[];
  /** Makes the named write reject. */
  failures: Map<string, Error>;
  history: ProgramEvent[];
  /** Of all programs, by the order in which they were emitted, or put there by a test. */
  allHistory: NamedEvent[];
  /** Whether a remote is followed. */
  follows: boolean;
  /** Whether a pull brings another image. */
  pullChanges: boolean;
  /** Of programs that were looked at. */
  figures: Map<string, UsageFigures>;
  /** Of all figures, which is also the CPU of the last step of each series. */
  usageVersion: number;
  sandboxes: Map<string, SandboxView>;
}

/** Of `POST /hooks/git`. */
export const HOOK_SECRET = 'a secret of the tests, ä';

const FAKE_VIEW: HostView = {
  ...{ version: '0.1.0', name: 'machine', instance: 'default', pid: 1, started_at: CREATED_AT },
  ...{ registry: '/registry', unwatched: [], warnings: [], git: null, disk: null, users: [], strays: [] },
  engine: { message: '', version: '20.10.24', runtimes: ['runc'], default_runtime: 'runc' },
  work: { waiting: 0, operations: { running: 0, waiting: 0, max: 4 }, images: [] },
  ports: { min: 19001, max: 29999, held: 0 },
};

/** No name of a program. */
const ANY = '*';

/** A host in memory: does what deps.ts says and no more. */
export function fakeHost(views: readonly ProgramView[] = [], openapi: unknown = {}): FakeHost {
  const events = new EventEmitter();
  const changes = new EventEmitter();
  let version = 0;
  let now = Date.parse(CREATED_AT);
  const etagOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
  const check = (verb: string): void => {
    const error = host.failures.get(verb);
    if (error !== undefined) throw error;
  };
  const need = (name: string): ProgramView => {
    const view = host.views.get(name);
    if (view === undefined) throw new AppError('NotFound', `no program ${name}`);
    return view;
  };

  const host: FakeHost = {
    views: new Map(views.map((view) => [view.name, view])),
    manifests: new Map(),
    calls: [],
    proxied: [],
    logged: [],
    signals: [],
    view: FAKE_VIEW,
    health: { ready: true, reason: '', message: '', warnings: [] },
    logChunks: [],
    logTimes: [],
    lastLogOptions: undefined,
    logPage: {
      ...{ containerId: 'c0ffee', lines: [], runs: [], more: false, gap: false },
      ...{ before: null, after: 'c0ffee', note: '' },
    },
    logMessages: [],
    lastLogPage: undefined,
    build: emptyBuild('build-0123456789ab'),
    buildChunks: [],
    failures: new Map(),
    execPieces: [],
    history: [],
    allHistory: [],
    follows: true,
    pullChanges: true,
    figures: new Map(),
    ...{ usageVersion: 1, sandboxes: new Map() },
    put(view) {
      host.views.set(view.name, view);
      version++;
      changes.emit(view.name);
      changes.emit(ANY, view.name);
    },
    watched: (name) => changes.listenerCount(name),
    emit(name, event) {
      host.history.push(event);
      host.allHistory.push({ name, event });
      events.emit(name, event);
      events.emit(ANY, name, event);
    },
    deps: {
      openapi: () => openapi,
      now: () => now++,
      log: {
        debug() {},
        info() {},
        warn: (fields, message) => void host.logged.push({ fields, message }),
        error: (fields, message) => void host.logged.push({ fields, message }),
      },
      state: {
        async read(name) {
          check('state');
          if (name === 'nobody') throw new AppError('NotFound', 'there is no program nobody');
          return chunks(host.logChunks, undefined);
        },
        async replace(name, tar) {
          need(name);
          let bytes = 0;
          for await (const chunk of tar) bytes += chunk.length;
          check('state');
          host.calls.push(`state ${name} ${bytes}`);
        },
      },
      pauses: fakePauses(CREATED_AT, (name) => host.views.has(name)),
      health: () => host.health,
      host: async () => host.view,
      ...{ usage: fakeUsage(() => host), sandbox: async (name) => host.sandboxes.get(name) },
      gitHook: {
        secret: HOOK_SECRET,
        lookAtRemote() {
          host.calls.push('look at the remote');
          return host.follows;
        },
      },
      proxied: (code) => void host.proxied.push(code),
      metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
      async reserve(name, userId, buildId) {
        check('reserve');
        host.calls.push(`reserve ${name}`);
        host.put(fakeView(name, { state: 'Created', desiredState: 'Stopped', userId, status: { buildId } }));
        return { port: 19007, createdAt: CREATED_AT };
      },
      async unreserve(name) {
        host.calls.push(`unreserve ${name}`);
        host.views.delete(name);
        version++;
      },
      async logs(name, options) {
        need(name);
        host.lastLogOptions = options;
        host.signals.push(options.signal);
        return {
          containerId: 'c0ffee',
          stream: pieces(chunks(host.logChunks, options.follow ? options.signal : undefined), host.logTimes),
        };
      },
      async logPage(name, request) {
        need(name);
        host.lastLogPage = request;
        return host.logPage;
      },
      async followLines(name, request) {
        need(name);
        host.lastLogPage = request;
        return messages(host.logMessages);
      },
      async pull(name, gone) {
        check('pull');
        host.signals.push(gone);
        need(name);
        host.calls.push(`pull ${name}`);
        return { imageId: 'sha256:22', changed: host.pullChanges };
      },
      async exec(name, request) {
        check('exec');
        need(name);
        host.signals.push(request.signal);
        host.calls.push(`exec ${name} ${JSON.stringify(request.command)}`);
        return { containerId: 'c0ffee', pieces: fakeExec(request, host.execPieces) };
      },
      validate: (text) => ({
        name: /name: (\S+)/.exec(text)?.[1] ?? '',
        problems: text.includes('kind')
          ? []
          : [{ line: 1, column: 1, path: 'kind', message: 'kind is missing' }],
      }),
      async dryRun(name, text) {
        check('dryRun');
        return {
          changed: host.manifests.get(name) !== text,
          diff: [{ path: 'spec.env.KEY', from: 'a', to: 'b' }],
          actions: ['replace the container'],
        };
      },
      programs: {
        list: () => [...host.views.values()],
        get: (name) => host.views.get(name),
        leftBy: () => undefined,
        version: () => version,
        onChange(name, listener) {
          changes.on(name, listener);
          return () => changes.off(name, listener);
        },
        onAnyChange(listener) {
          changes.on(ANY, listener);
          return () => changes.off(ANY, listener);
        },
        eventsSince: async (time) => host.allHistory.filter(({ event }) => event.time >= time),
        onNewEvent(listener) {
          events.on(ANY, listener);
          return () => events.off(ANY, listener);
        },
        manifest(name) {
          const text = host.manifests.get(name);
          return text === undefined ? undefined : { text, etag: etagOf(text) };
        },
        async createFromSources(name, userId, _buildId, files) {
          check('createFromSources');
          host.calls.push(`create ${name} ${userId} ${[...files.keys()].sort().join(',')}`);
        },
        async putManifest(name, text, etag) {
          check('putManifest');
          const before = host.manifests.get(name);
          if (etag === null && before !== undefined) throw new AppError('Conflict', 'it exists');
          if (etag !== null && (before === undefined || etagOf(before) !== etag)) {
            throw new AppError('PreconditionFailed', 'stale');
          }
          host.manifests.set(name, text);
          version++;
          return { etag: etagOf(text), created: before === undefined };
        },
        async putSources(name, files, buildId) {
          check('putSources');
          need(name);
          host.calls.push(`sources ${name} ${buildId} ${[...files.keys()].sort().join(',')}`);
          return !files.has('same');
        },
        async editSpec(name, fields, word) {
          check('editSpec');
          need(name);
          const as = word === undefined ? '' : ` as ${word}`;
          host.calls.push(`edit ${name} ${JSON.stringify(fields)}${as}`);
        },
        async remove(name) {
          need(name);
          host.calls.push(`remove ${name}`);
          host.views.delete(name);
          version++;
          changes.emit(name);
          changes.emit(ANY, name);
        },
        source: async (name) => {
          need(name);
          return { Dockerfile: 'FROM scratch\n', 'src/ä.txt': 'x' };
        },
        buildIdOf: async (files) => `build-${etagOf(JSON.stringify([...files])).slice(0, 12)}`,
        buildLog: async () => ({ buildId: 'build-0123456789ab', log: 'step 1\n' }),
        followBuildLog(_name, signal) {
          host.signals.push(signal);
          return chunks(host.logChunks, signal);
        },
        async build(name, id) {
          need(name);
          host.calls.push(`build ${name} ${id}`);
          return host.build;
        },
        builds: async () => [summaryOf(host.build)],
        followBuild: () => chunks(host.buildChunks, undefined),
        revisions: async () => [fakeRevision(1), fakeRevision(2)],
        revisionFiles: async (_, revision) =>
          revision > 1 ? undefined : [{ name: 'Dockerfile', mode: '100644', sha256: 'a'.repeat(64) }],
        async rollBack(name, revision = 1) {
          check('rollBack');
          need(name);
          host.calls.push(`rollBack ${name} ${revision}`);
          return revision;
        },
        events: async () => [...host.history],
        async *followEvents(name, signal) {
          host.signals.push(signal);
          try {
            for await (const [event] of on(events, name, { signal })) yield event as ProgramEvent;
          } catch (error) {
            if (!signal.aborted) throw error;
          }
        },
        confirmPrune: async (only) => {
          host.calls.push(`prune ${only ?? 'both'}`);
          return ['gone-1', 'gone-2'];
        },
      },
    },
  };
  return host;
}

function fakeUsage(host: () => FakeHost): ApiDeps['usage'] {
  const series = (stepMs: number, count: number) => ({
    ...{ startMs: Date.parse(CREATED_AT), stepMs },
    cpu: [...Array<null>(count - 1).fill(null), host().usageVersion],
    memoryBytes: [...Array<null>(count - 1).fill(null), 1024],
  });
  const unknown = { cpu: null, memoryBytes: null, cpuLimit: null, memoryLimitBytes: null };
  return {
    version: () => host().usageVersion,
    figures: (name) => host().figures.get(name) ?? { ...unknown, sampledAtMs: 0, reason: 'not yet' },
    hour: (_name, steps = 1) => series(15_000 * steps, 240 / steps),
    async week() {
      const error = host().failures.get('week');
      if (error !== undefined) throw error;
      return series(300_000, 2016);
    },
  };
}

/** `cat` gives what it reads, `wait` waits for the signal; both behind the pieces. */
async function* fakeExec({ command, stdin, signal }: ExecRequest, pieces: ExecPiece[]) {
  yield* pieces;
  if (command[0] === 'cat' && stdin)
    for await (const bytes of stdin) yield { stream: 'stdout' as const, bytes };
  if (command[0] === 'wait' && !signal.aborted) await once(signal, 'abort');
  if (!signal.aborted) yield { exitCode: Number(command[1] ?? 0) };
}

/** The chunks, and with a signal the stream stays open until it fires. */
async function* pieces(list: AsyncIterable<Uint8Array>, times: readonly string[]): AsyncGenerator<LogPiece> {
  let index = 0;
  for await (const bytes of list) yield { bytes, time: times[index++] ?? '' };
}

async function* messages(list: readonly LogMessage[]): AsyncGenerator<LogMessage> {
  yield* list;
}

async function* chunks(
  list: readonly Uint8Array[],
  open: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  yield* list;
  if (open === undefined || open.aborted) return;
  await new Promise<void>((resolve) => open.addEventListener('abort', () => resolve(), { once: true }));
}
