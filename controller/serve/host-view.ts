import type { ProgramView } from '../../api/program-answers.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError } from '../../schemas/errors.ts';
import type { HostView, HostWarning, Unwatched, UserView } from '../../schemas/host-view.ts';
import { type Runtime, timestamp } from '../../schemas/program.ts';
import type { Engine } from '../engine/engine.ts';
import type { Controller } from '../loop/controller.ts';

/** What of a host does not change while it runs. */
export interface AboutHost {
  version: string;
  /** Of the machine. */
  name: string;
  instance: string;
  pid: number;
  /** Epoch milliseconds. */
  startedAtMs: number;
  /** Absolute path. */
  registry: string;
  ports: { min: number; max: number };
  /** What it follows; the URL without a password. */
  remote: { url: string; branch: string } | undefined;
}

export interface HostViewDeps {
  about: AboutHost;
  warnings: () => HostWarning[];
  unwatched: () => Unwatched[];
  registry: Pick<Registry, 'gitHead' | 'remoteTrouble'>;
  controller: Pick<Controller, 'health' | 'queue' | 'slots' | 'images' | 'collector'>;
  engine: Pick<Engine, 'info'>;
  clock: Clock;
  /** Of programs that name none. */
  runtime: Runtime;
  list: () => readonly ProgramView[];
}

/** Warnings are looked at, in memory, this often: since when one stands is no matter of who asks. */
const LOOK_MS = 10_000;

/** See `ApiDeps.host`. Looks at the warnings from now on, as long as the clock goes. */
export function createHostView(deps: HostViewDeps): () => Promise<HostView> {
  const { about, registry, controller, clock } = deps;
  const since = createSince(clock);
  const look = () => {
    since(deps.warnings());
    clock.after(LOOK_MS, look);
  };
  look();
  return async () => {
    const { version, name, instance, pid, registry: root, ports } = about;
    const [engine, git] = await Promise.all([engineView(deps), gitView(about, registry)]);
    const views = deps.list();
    const { strays } = controller.health();
    const found = controller.collector.lastFound();
    return {
      ...{ version, name, instance, pid, registry: root, engine, git },
      started_at: timestamp(about.startedAtMs),
      unwatched: deps.unwatched(),
      warnings: since(deps.warnings()),
      work: {
        waiting: controller.queue.depth,
        operations: controller.slots.counts(),
        images: controller.images.list().map(({ isRunning, ...task }) => ({ ...task, running: isRunning })),
      },
      ports: { ...ports, held: views.filter(({ status }) => status.publishPort > 0).length },
      disk: found === undefined ? null : { looked_at: timestamp(found.atMs), kinds: found.kinds },
      users: usersOf(views),
      strays: strays.map(({ name: container, program, why }) => ({ name: container, program, message: why })),
    };
  };
}

async function gitView({ remote }: AboutHost, registry: HostViewDeps['registry']): Promise<HostView['git']> {
  const found = await registry.gitHead().catch(() => undefined);
  if (found === undefined) return null;
  const { id: head, ref, operation } = found;
  const { reason = '', message = '' } = registry.remoteTrouble() ?? {};
  const branch = ref.replace(/^refs\/heads\//, '');
  return {
    ...{ head, branch, operation },
    remote: remote === undefined ? null : { ...remote, reason, message },
  };
}

async function engineView({ engine, controller, runtime }: HostViewDeps): Promise<HostView['engine']> {
  const { trouble } = controller.health();
  const unknown = { version: null, runtimes: null, default_runtime: runtime };
  if (trouble !== '') return { ...unknown, message: trouble };
  try {
    const { version, runtimes } = await engine.info();
    return { message: '', version, runtimes, default_runtime: runtime };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...unknown, message: error.message };
  }
}

function usersOf(views: readonly ProgramView[]): UserView[] {
  const users = new Map<string, UserView>();
  for (const { status, details } of views) {
    const { userId, state, reason } = status;
    const none = { user_id: userId, programs: 0, down: 0, memory_limit_bytes: 0, cpu_limit: 0 };
    const before = users.get(userId) ?? none;
    const isDown = state === 'Error' || (state === 'Running' && reason !== '');
    users.set(userId, {
      user_id: userId,
      programs: before.programs + 1,
      down: before.down + (isDown ? 1 : 0),
      memory_limit_bytes: before.memory_limit_bytes + (details.limits?.memoryBytes ?? 0),
      cpu_limit: before.cpu_limit + (details.limits?.cpus ?? 0),
    });
  }
  return [...users.values()].sort((one, other) => (one.user_id < other.user_id ? -1 : 1));
}

/** Puts to each warning since when it stands, where it does not say so itself: since it was first seen; of one that went and came back, since it came back. */
function createSince(clock: Clock): (now: readonly HostWarning[]) => HostView['warnings'] {
  let known = new Map<string, string>();
  return (now) => {
    const at = timestamp(clock.now());
    // What can be confirmed is one thing, however many it is about by now.
    const keyOf = ({ code, message, confirm }: HostWarning) => (confirm === '' ? `${code} ${message}` : code);
    const told = now.map((one) => ({ ...one, since: one.since ?? known.get(keyOf(one)) ?? at }));
    known = new Map(told.map((one) => [keyOf(one), one.since]));
    return told;
  };
}
