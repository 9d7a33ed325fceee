import { EventEmitter, on } from 'node:events';
import type { LogPageRequest } from '../../api/program-answers.ts';
import {
  formatCursor,
  type LogLine,
  type LogMessage,
  type LogPage,
  type LogRun,
} from '../../schemas/log-line.ts';
import { nanosOfMs, timeOfNanos } from '../../schemas/log-piece.ts';

/** Lines that an engine keeps before it throws the oldest away. */
const LINES_MAX = 20_000;

/** What a program of a test prints: as a host tells it, without a container. */
export class FakeLog {
  readonly #container: string;
  readonly #lines: LogLine[] = [];
  readonly #new = new EventEmitter().setMaxListeners(0);
  readonly run: LogRun;
  /** Counts those that went, too. */
  count = 0;

  constructor(container: string, startMs: number, revision = 1) {
    this.#container = container;
    this.run = {
      ...{ id: `${container}@${startMs}`, container_id: container, revision },
      started: new Date(startMs).toISOString(),
      ...{ finished: null, exit_code: null, exit: '', kept: null },
    };
  }

  print(text: string, atMs = Date.now()): void {
    // No two lines of one time: of each the index is 0.
    const time = timeOfNanos(nanosOfMs(atMs) + BigInt(this.count++ % 1_000_000));
    const line = { time, stream: 'stdout', index: 0 } as const;
    const id = formatCursor({ container: this.#container, line });
    const whole: LogLine = { id, time, stream: 'stdout', run: this.run.id, text, cut_bytes: 0 };
    this.#lines.push(whole);
    if (this.#lines.length > LINES_MAX) this.#lines.splice(0, LINES_MAX / 2);
    this.#new.emit('line', whole);
  }

  page({ tail, before, after, sinceNanos }: LogPageRequest): LogPage {
    const [from, to] = [after?.line?.time ?? '', before?.line?.time ?? '~'];
    const since = sinceNanos === 0n ? '' : timeOfNanos(sinceNanos);
    const all = this.#lines.filter(({ time }) => time > from && time < to && time >= since);
    const lines = tail === 0 ? [] : all.slice(-tail);
    const more = lines.length < all.length;
    return {
      ...{ containerId: this.#container, lines, runs: [this.run], more, gap: false, note: '' },
      before: more ? (lines[0]?.id ?? null) : null,
      after: lines.at(-1)?.id ?? this.#container,
    };
  }

  async *follow(request: LogPageRequest): AsyncGenerator<LogMessage> {
    const { signal } = request;
    // Listens first: what is printed while the page goes out is in neither otherwise.
    const coming = on(this.#new, 'line', { signal });
    let last = '';
    try {
      yield { event: 'run', data: this.run };
      for (const data of this.page(request).lines) {
        last = data.time;
        yield { event: 'line', data };
      }
      for await (const [data] of coming) if (data.time > last) yield { event: 'line', data };
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await coming.return?.();
    }
  }
}
