import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../schemas/clock.ts';
import { LABELS } from '../../../schemas/program.ts';
import type { Closable, EngineEvent } from '../engine.ts';
import { isOfRegistry, type Owner } from '../owner.ts';
import { type Connection, jsonLines, openStream } from './client.ts';
import { unavailable } from './errors.ts';

/** What a change of a container can be; the rest (exec, attach, archive) is noise. */
const ACTIONS = ['create', 'start', 'die', 'oom', 'destroy', 'rename', 'pause', 'unpause', 'update'];
/** Networks carry no word of the program; their events name the container. */
const NETWORK_ACTIONS = ['connect', 'disconnect'];

interface Subscription {
  filters: Record<string, string[]>;
  eventOf(raw: Record<string, unknown>): EngineEvent | undefined;
}

/** An engine that restarts is back in 3 to 8 s: waits grow to less than that. */
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 3_000;

/** TCP's own question whether the other side is still there; a local socket needs none. */
const KEEPALIVE_MS = 30_000;

/** Docker's ring holds 256 events: no more than that can come twice. */
const SEEN_MAX = 512;

export interface EventHandlers {
  onEvent(event: EngineEvent): void;
  onConnect(): void;
  onDisconnect(error: Error): void;
}

/**
 * Follows the container events of one instance until closed. Never throws: a lost connection is reported and
 * made again, `onConnect` says that events may have been missed. What the engine still has of the time
 * between is told, nothing twice.
 */
export function watchEvents(
  connection: Connection,
  whose: { instance: string; owner: () => Owner | undefined },
  clock: Clock,
  handlers: EventHandlers,
): Closable {
  const stop = new AbortController();
  const containers: Subscription = {
    filters: { type: ['container'], label: [`${LABELS.instance}=${whose.instance}`], event: ACTIONS },
    eventOf: (raw) => containerEvent(raw, whose.owner()),
  };
  const sandboxes: Subscription = {
    filters: { type: ['container'], label: [`${LABELS.sandboxInstance}=${whose.instance}`], event: ACTIONS },
    eventOf: (raw) => containerEvent(raw, whose.owner(), LABELS.sandboxOf),
  };
  const networks: Subscription = {
    filters: { type: ['network'], event: NETWORK_ACTIONS },
    eventOf: networkEvent,
  };
  // One of them tells of connections; all are lost and made again together in all but the rarest case.
  const quiet = { ...handlers, onConnect: () => undefined, onDisconnect: () => undefined };
  const ended = [
    follow(connection, containers, clock, handlers, stop.signal),
    follow(connection, sandboxes, clock, quiet, stop.signal),
    follow(connection, networks, clock, quiet, stop.signal),
  ];
  return {
    async close() {
      stop.abort();
      await Promise.all(ended);
    },
  };
}

async function follow(
  connection: Connection,
  { filters, eventOf }: Subscription,
  clock: Clock,
  handlers: EventHandlers,
  signal: AbortSignal,
): Promise<void> {
  const dedup = createDedup();
  let wait = RECONNECT_MS_MIN;
  // From a second ago at first, too: Docker answers before it listens to its own events.
  let since = seconds(clock) - 1;
  while (!signal.aborted) {
    let body: IncomingMessage | undefined;
    let failure: unknown = new Error('the event stream ended');
    try {
      body = await openStream(connection.patient, '/events', { since, filters }, signal);
      body.socket?.setKeepAlive(true, KEEPALIVE_MS);
      wait = RECONNECT_MS_MIN;
      // What happens between this connection and the next one must not be lost where no event came at all.
      since = Math.max(since, seconds(clock) - 1);
      handlers.onConnect();
      for await (const raw of jsonLines(body)) {
        const event = eventOf(raw);
        if (event === undefined || !dedup(raw, event)) continue;
        // Times are rounded on the way here: a second of overlap, and dedup drops what is known.
        since = Math.max(since, Math.floor(event.atMs / 1000) - 1);
        handlers.onEvent(event);
      }
    } catch (error) {
      failure = error;
    } finally {
      body?.destroy();
    }
    if (signal.aborted) return;
    handlers.onDisconnect(unavailable(failure));
    await pause(clock, wait, signal);
    wait = Math.min(wait * 2, RECONNECT_MS_MAX);
  }
}

interface Actor {
  ID?: string;
  Attributes?: Record<string, string>;
}

function networkEvent(raw: Record<string, unknown>): EngineEvent | undefined {
  const containerId = (raw.Actor as Actor | undefined)?.Attributes?.container;
  if (containerId === undefined || typeof raw.Action !== 'string') return undefined;
  return { program: '', containerId, action: raw.Action, atMs: Number(raw.timeNano ?? 0) / 1e6 };
}

/** @param owner undefined as long as it is not settled: then it may be anybody's, and does no harm */
function containerEvent(
  raw: Record<string, unknown>,
  owner: Owner | undefined,
  label: string = LABELS.program,
): EngineEvent | undefined {
  const actor = raw.Actor as Actor | undefined;
  const program = actor?.Attributes?.[label];
  if (owner !== undefined && !isOfRegistry(owner, actor?.Attributes)) return undefined;
  if (actor?.ID === undefined || program === undefined || typeof raw.Action !== 'string') return undefined;
  return { program, containerId: actor.ID, action: raw.Action, atMs: Number(raw.timeNano ?? 0) / 1e6 };
}

/** True for what was not there before. Rounding is the same each time, so the key is. */
function createDedup(): (raw: Record<string, unknown>, event: EngineEvent) => boolean {
  const seen = new Set<string>();
  return (raw, event) => {
    const key = `${raw.timeNano} ${event.containerId} ${event.action}`;
    if (seen.has(key)) return false;
    seen.add(key);
    const oldest = seen.size > SEEN_MAX ? seen.values().next() : undefined;
    if (oldest?.done === false) seen.delete(oldest.value);
    return true;
  };
}

function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
