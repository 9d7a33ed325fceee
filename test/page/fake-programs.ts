import type { ProgramView, RevisionView } from '../../api/program-answers.ts';
import { type Build, emptyBuild } from '../../schemas/build-step.ts';
import type { HostView } from '../../schemas/host-view.ts';
import type { Condition, ProgramEvent } from '../../schemas/program.ts';
import { fakeView, type ViewOptions } from '../api/fake-view.ts';
import type { FakeServer } from './fake-server.ts';

/** Programs in every state that the page has words for; what is long is as long as it can be. */

export const ILL = 'maker-sol';
export const GOOD = 'grid-btc';
export const LONG = `liquidation-watch-${'kraken-futures-'.repeat(7)}eu-1`;

const START = Date.now();
/** So many minutes ago. */
const ago = (minutes: number) => new Date(START - minutes * 60_000).toISOString();

const TAIL = [
  'connecting to wss://feed.exchange.test/v5/public',
  'subscribed to 14 channels',
  'panic: runtime error: invalid memory address or nil pointer dereference',
  'goroutine 1 [running]:',
  `main.(*Book).Apply(0x0, {0xc0000a6000, 0x1f, 0x40}) /src/internal/orderbook/${'very/'.repeat(20)}book.go:118 +0x4c`,
].join('\n');

function condition(
  type: Condition['type'],
  status: Condition['status'],
  reason: string,
  message = '',
): Condition {
  return { type, status, reason, message, lastTransitionTime: ago(7) };
}

const NOT_READY = condition('Ready', 'False', 'NotRunning');

function ill(name: string, reason: string, errorMsg: string, more: ViewOptions = {}): ProgramView {
  const state = more.state ?? 'Error';
  const progress = condition('Progressing', 'False', reason, errorMsg);
  return fakeView(name, {
    ...more,
    state,
    status: { reason, errorMsg, conditions: [progress, NOT_READY], updatedAt: ago(7), ...more.status },
  });
}

const LAST_EXIT = {
  ...{ exitCode: 2, oomKilled: false, signal: '', run: 'c0ffee@1', finishedAt: ago(1), logTail: TAIL },
};

export function somePrograms(): ProgramView[] {
  const commit = '7d6a65f0123456789';
  const known = { commit, wantedCommit: commit };
  return [
    fakeView(GOOD, { details: known, userId: 'ana' }),
    fakeView(LONG, { details: known, userId: `desk-${'x'.repeat(50)}` }),
    ill(ILL, 'CrashLoopBackOff', `exited 14 times in a row (exit code 2)\n${TAIL}`, {
      status: { restartCount: 14, lastExit: LAST_EXIT },
      details: { restartsInHour: 14, nextTryAt: new Date(START + 3_600_000).toISOString(), ...known },
    }),
    ill('built-badly', 'BuildFailed', 'step 3 of 4 failed: go: missing go.sum entry for module', { port: 0 }),
    ill('no-image', 'ImageNotFound', 'pull access denied for registry.test/nothing, it may not exist'),
    ill('no-port', 'PortConflict', 'port 19017 is held by grid-btc'),
    ill('slow', 'ProgressDeadlineExceeded', 'not ready within 20 s: GET /watcher/status answered 503', {
      state: 'Running',
    }),
    ill('rolled-back', 'RolledBack', 'revision 4 was not ready within 20 s; revision 3 serves', {
      state: 'Ready',
      status: { currentRevision: 3, conditions: [condition('Ready', 'True', 'ProbeSucceeded')] },
      details: { wantedRevision: 4, commit, wantedCommit: 'aa11bb22cc33dd44' },
    }),
    ill('mistyped', 'InvalidManifest', 'line 9: spec.resources.memory must be like 512Mi, not "lots"', {
      state: 'Ready',
      status: { conditions: [condition('Ready', 'True', 'ProbeSucceeded')] },
    }),
    ill('from-tomorrow', 'QuantumDecoherence', 'a reason that this page has never heard of'),
    fakeView('under-way', { state: 'Starting', status: { conditions: [NOT_READY], readyAt: '' } }),
    fakeView('in-the-making', {
      state: 'Building',
      status: { reason: 'Building', startedAt: '', readyAt: '' },
    }),
    fakeView('replay-2025', {
      state: 'Created',
      desiredState: 'Stopped',
      port: 0,
      status: { startedAt: '' },
    }),
    fakeView('halted', { state: 'Stopped', desiredState: 'Stopped' }),
    fakeView('done', { state: 'Stopped', finished: true, status: { reason: 'Completed' } }),
  ];
}

const MANIFEST = `apiVersion: hersh.dev/v1
kind: Program
metadata:
  name: NAME
spec:
  userId: ana
  build:
    context: sources/NAME
  env:
    FEED: wss://feed.exchange.test/v5/public
  resources: {memory: 256Mi, cpus: 0.5}
`;

/** Gives them a past: output, events, builds, revisions, manifests and figures. */
export function tellHistory({ host, logOf }: FakeServer): void {
  const { programs } = host.deps;
  for (const name of host.views.keys()) {
    host.manifests.set(name, MANIFEST.replaceAll('NAME', name));
    host.figures.set(name, {
      ...{ cpu: 0.21, memoryBytes: name === LONG ? 2 ** 28 * 0.93 : 2 ** 26, cpuLimit: 0.5 },
      ...{ memoryLimitBytes: 2 ** 28, sampledAtMs: START, reason: '' },
    });
    const log = logOf(name);
    for (let line = 0; line < 120; line++)
      log.print(`level=info seq=${line} msg="order book is even"`, START - 60_000);
    if (name === ILL) for (const line of TAIL.split('\n')) log.print(line, START - 1_000);
  }
  const past = (name: string) => eventsOf(name);
  host.allHistory.push(
    ...[...host.views.keys()].flatMap((name) => past(name).map((event) => ({ name, event }))),
  );
  Object.assign(programs, {
    events: async (name: string) =>
      host.allHistory.filter((one) => one.name === name).map(({ event }) => event),
    build: async (name: string) => buildOf(name),
    revisions: async () => [1, 2, 3, 4].map(revision),
  });
}

function eventsOf(name: string): ProgramEvent[] {
  const event = (minutes: number, reason: string, more: Partial<ProgramEvent> = {}): ProgramEvent => {
    return { time: ago(minutes), type: 'Normal', reason, message: '', state: 'Ready', revision: 1, ...more };
  };
  const first = [
    event(50, 'Created', { state: 'Created', author: 'ana', message: 'by a call' }),
    event(49, 'Building', { state: 'Building' }),
    event(48, 'Started', { state: 'Starting' }),
    event(47, 'Ready'),
  ];
  if (name !== ILL) return first;
  const exits = [9, 8, 7, 5, 1].map((minutes) =>
    event(minutes, 'Crashed', { type: 'Warning', state: 'Error', message: 'exited once (exit code 2)' }),
  );
  return [...first, ...exits];
}

function buildOf(name: string): Build {
  const isBad = name === 'built-badly' || name === ILL;
  const [started, ended] = [ago(49), ago(48)];
  const step = (number: number, text: string, cached: boolean, error = '', output: string[] = []) => {
    return { number, name: text, cached, started, completed: ended, error, output };
  };
  return {
    ...emptyBuild('build-0123456789ab'),
    ...{ id: 'build-0123456789ab@1', started, ended, outcome: isBad ? 'Failed' : 'Succeeded' },
    error: isBad ? 'step 3 failed' : '',
    steps: [
      step(1, '[1/4] FROM docker.io/library/golang:1.22', true),
      step(2, '[2/4] WORKDIR /src', true),
      step(3, '[3/4] RUN go build ./...', false, isBad ? 'exit code: 1' : '', [
        'go: downloading github.com/gorilla/websocket v1.5.3',
        ...(isBad
          ? ['main.go:7:2: missing go.sum entry for module providing package example.test/feed']
          : []),
      ]),
    ],
  };
}

function revision(number: number): RevisionView {
  return {
    ...{ revision: number, created_at: ago(60 - number), author: 'ana', commit: `${number}d6a65f0123456789` },
    ...{ build_id: 'build-0123456789ab', image_id: 'sha256:11', log: '', current: number === 1 },
    ...{ outcome: number === 4 ? 'Failed' : 'Ready', message: number === 4 ? 'not ready within 20 s' : '' },
    spec: {
      userId: 'ana',
      image: 'busybox',
      env: { FEED: `wss://feed.test/v${number}` },
      resources: { cpus: number / 10 },
    },
  };
}

/** A host with everything that it can warn of. */
export function troubledHost(view: HostView): HostView {
  const warning = (
    code: string,
    message: string,
    names: string[],
    confirm: 'programs' | 'strays' | '' = '',
  ) => {
    return { code, message, names, confirm, since: ago(12) };
  };
  return {
    ...view,
    warnings: [
      warning('PrunePaused', '6 of 15 manifests are gone at once', [GOOD, ILL, LONG], 'programs'),
      warning(
        'StrayContainers',
        '2 containers belong to no program',
        ['hersh-old-1', 'hersh-old-2'],
        'strays',
      ),
      warning('FolderNotWritable', '/registry/status can not be written: ENOSPC', []),
      warning('StatusDamaged', 'status/halted.yaml can not be read', ['halted']),
      warning('BeyondTheSea', 'a warning that this page has never heard of', []),
    ],
    git: {
      ...{ head: '7d6a65f0123456789', branch: 'main', operation: 'rebase' },
      remote: {
        url: 'https://git.test/ana/programs.git',
        branch: 'main',
        reason: 'RemoteDiverged',
        message: 'its branch is none of ours',
      },
    },
    disk: {
      looked_at: ago(3),
      kinds: [
        { kind: 'image', count: 13, bytes: 6_297_000_000 },
        { kind: 'buildLog', count: 2, bytes: 1_809 },
        { kind: 'history', count: 9, bytes: null },
      ],
    },
    users: [
      { user_id: 'ana', programs: 9, down: 3, memory_limit_bytes: 2 ** 31, cpu_limit: 4.5 },
      {
        user_id: `desk-${'x'.repeat(50)}`,
        programs: 1,
        down: 0,
        memory_limit_bytes: 2 ** 28,
        cpu_limit: 0.5,
      },
    ],
    strays: [
      { name: 'hersh-old-1', program: 'old', message: 'it bears the labels of a program that is not there' },
    ],
    work: {
      waiting: 2,
      operations: { running: 1, waiting: 2, max: 4 },
      images: [{ key: 'build-0123456789ab', programs: ['in-the-making'], running: true }],
    },
  };
}
