import type { LogOptions } from '../../controller/engine/engine.ts';
import { type LogPiece, nanosOfMs, timeOfNanos } from '../../schemas/log-piece.ts';
import type { SimContainer, SimWorld } from './engine-world.ts';

/** What a simulated container printed, as the port gives it. */
export async function* readLines(
  world: SimWorld,
  container: SimContainer,
  options: LogOptions,
): AsyncGenerator<LogPiece> {
  const { signal, tail, follow, sinceNanos } = options;
  const old = container.lines
    .map((line, index) => ({ line, index }))
    .filter((one) => nanosAt(one) >= sinceNanos);
  let next = container.lines.length;
  const shown = tail === 'all' ? old : old.slice(Math.max(0, old.length - tail));
  for (const one of shown) {
    if (signal.aborted) return;
    yield pieceOf(one);
  }
  while (follow && !signal.aborted) {
    const line = container.lines[next];
    if (line !== undefined) {
      yield pieceOf({ line, index: next++ });
      continue;
    }
    const isUp = ['running', 'paused'].includes(container.facts.state);
    if (!isUp || !world.containers.has(container.facts.id)) return;
    await change(container, signal);
  }
}

/** Resolves at the container's next line or end, or when the signal fires. */
function change(container: SimContainer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      container.readers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    container.readers.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Of a container that is gone. */
export async function* nothing(): AsyncGenerator<LogPiece> {}

interface Numbered {
  line: { atMs: number; text: string };
  index: number;
}

/** No two lines have the same time, though the simulated clock counts milliseconds. */
const nanosAt = ({ line, index }: Numbered): bigint => nanosOfMs(line.atMs) + BigInt(index);

function pieceOf(one: Numbered): LogPiece {
  return { time: timeOfNanos(nanosAt(one)), bytes: Buffer.from(one.line.text) };
}
