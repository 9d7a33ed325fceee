import { type Exchange, Kept, type Shared } from './kept.ts';
import { createLlhttp } from './llhttp.ts';

/** What is read at once, in bytes. */
const READ_BYTES_MAX = 64 * 1024;
/** An idle connection is looked at so often, in milliseconds, and closed at the fourth look. */
const LOOK_MS = 1_000;
const LOOKS_MAX = 4;

/** Connections to programs that are kept for the next request. */
export interface Pools {
  /** Sends a request to a port of this machine. */
  send(port: number, exchange: Exchange): void;
  /** Breaks off all that is under way. */
  close(): void;
}

/** @param firstByteMsMax how long a program may take to connect, and to its first byte; milliseconds */
export function createPools(firstByteMsMax: number): Pools {
  const idle = new Idle();
  const all = new Set<Kept>();
  let shared: Shared | undefined;
  let waiting: { port: number; exchange: Exchange }[] = [];
  let done: Kept[] = [];
  let isPlanned = false;
  let isClosed = false;

  /**
   * Once all that has come by now was read: what a program says unasked, or that it closes the connection, is then seen
   * before the next request goes over it, and not taken for its answer.
   */
  function plan(): void {
    if (!isPlanned) setImmediate(run);
    isPlanned = true;
  }

  function run(): void {
    isPlanned = false;
    if (isClosed) return;
    const sending = waiting;
    waiting = [];
    for (const { port, exchange } of sending) {
      if (!exchange.isGone()) (idle.take(port) ?? open(port)).send(exchange);
    }
    const free = done;
    done = [];
    for (const kept of free) idle.put(kept);
  }

  function open(port: number): Kept {
    shared ??= { llhttp: createLlhttp(READ_BYTES_MAX), input: Buffer.alloc(READ_BYTES_MAX), firstByteMsMax };
    const onIdle = (kept: Kept): void => {
      done.push(kept);
      plan();
    };
    const made = new Kept(port, shared, onIdle, (kept) => void all.delete(kept));
    all.add(made);
    return made;
  }

  return {
    send(port, exchange) {
      waiting.push({ port, exchange });
      plan();
    },
    close() {
      isClosed = true;
      for (const kept of [...all]) kept.drop();
      idle.close();
    },
  };
}

/** Connections that nothing is asked over, for a few seconds. */
class Idle {
  /** By port; the one used last is the first that is taken. */
  readonly #kept = new Map<number, Kept[]>();
  #timer: NodeJS.Timeout | undefined;

  take(port: number): Kept | undefined {
    const there = this.#kept.get(port) ?? [];
    let kept = there.pop();
    while (kept?.isEnded) kept = there.pop();
    return kept;
  }

  put(kept: Kept): void {
    if (kept.isEnded) return;
    kept.idleLooks = 0;
    const there = this.#kept.get(kept.port);
    if (there === undefined) this.#kept.set(kept.port, [kept]);
    else there.push(kept);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#kept.clear();
  }

  #look(): void {
    for (const [port, there] of this.#kept) {
      for (const kept of there) if (++kept.idleLooks >= LOOKS_MAX) kept.drop();
      const left = there.filter((kept) => !kept.isEnded);
      if (left.length > 0) this.#kept.set(port, left);
      else this.#kept.delete(port);
    }
    if (this.#kept.size === 0) this.close();
  }
}
