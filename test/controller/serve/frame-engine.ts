import type { Engine, LogOptions } from '../../../controller/engine/engine.ts';
import { type Container, isUp } from '../../../schemas/container.ts';
import { type LogPiece, type LogStream, timeOfNanos } from '../../../schemas/log-piece.ts';
import { LABELS } from '../../../schemas/program.ts';

export interface Frame {
  nanos: number;
  text: string;
  stream?: LogStream;
}

interface OneContainer {
  facts: Container;
  frames: Frame[];
}

/** What an engine gives for a tail is so many of its frames, wherever lines begin, and from a time on those of then. */
export function createFrameEngine() {
  const containers = new Map<string, OneContainer>();
  const waiting = new Set<() => void>();
  /** The `tail` of each read, `follow` marked by a plus. */
  const reads: string[] = [];
  const wakeAll = () => {
    for (const wake of [...waiting]) wake();
  };
  const change = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        waiting.delete(done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });

  async function* read(id: string, options: LogOptions): AsyncGenerator<LogPiece> {
    const { tail, sinceNanos, follow, signal } = options;
    const start = containers.get(id)?.frames.length ?? 0;
    const run = containers.get(id)?.facts.startedAtMs;
    for (let at = tail === 'all' ? 0 : Math.max(0, start - tail); !signal.aborted; ) {
      const one = containers.get(id);
      if (one === undefined) return;
      const frame = one.frames[at];
      if (frame !== undefined) {
        at += 1;
        if (BigInt(Math.round(frame.nanos)) >= sinceNanos) yield pieceOf(frame);
      } else if (!follow || !isUp(one.facts) || one.facts.startedAtMs !== run) return;
      else await change(signal);
    }
  }

  const engine: Pick<Engine, 'logs' | 'inspectContainer'> = {
    inspectContainer: async (id) => {
      const facts = containers.get(id)?.facts;
      return facts && { ...facts };
    },
    async logs(id, options) {
      reads.push(`${options.tail}${options.follow ? '+' : ''}`);
      return read(id, options);
    },
  };
  return {
    ...{ engine, reads, containers },
    /** Followers that wait for more. */
    get followers() {
      return waiting.size;
    },
    /** Begins a run in this container. */
    run(id: string, startedAtMs: number, revision = 1): void {
      const labels = { [LABELS.revision]: String(revision) };
      const facts = { id, labels, startedAtMs, finishedAtMs: 0, exitCode: 0, state: 'running' };
      const { finishedAtMs = 0 } = containers.get(id)?.facts ?? {};
      containers.set(id, {
        frames: containers.get(id)?.frames ?? [],
        facts: { ...facts, finishedAtMs } as unknown as Container,
      });
      wakeAll();
    },
    end(id: string, finishedAtMs: number, exitCode: number): void {
      const one = containers.get(id);
      if (one !== undefined) Object.assign(one.facts, { state: 'exited', finishedAtMs, exitCode });
      wakeAll();
    },
    print(id: string, ...frames: Frame[]): void {
      containers.get(id)?.frames.push(...frames);
      wakeAll();
    },
  };
}

/** Read again and again by some tests, and never changed. */
const pieces = new WeakMap<Frame, LogPiece>();

export function pieceOf(frame: Frame): LogPiece {
  const known = pieces.get(frame);
  if (known !== undefined) return known;
  const { nanos, text, stream = 'stdout' } = frame;
  const piece = { stream, time: timeOfNanos(BigInt(Math.round(nanos))), bytes: Buffer.from(text) };
  pieces.set(frame, piece);
  return piece;
}
