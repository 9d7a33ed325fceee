import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import protobuf from 'protobufjs';
import type { StepNews } from '../../../schemas/build-step.ts';
import { timestamp } from '../../../schemas/program.ts';

/** How much of a step's output is kept to tell why it failed. */
const TAIL_LINES = 20;

/** One `moby.buildkit.trace` message, decoded. Times are epoch seconds; 0 where absent. */
export interface BuildTrace {
  vertexes: {
    digest: string;
    name: string;
    cached: boolean;
    started: number;
    completed: number;
    error: string;
  }[];
  logs: { vertex: string; time: number; text: string }[];
}

export type DecodeTrace = (base64: string) => BuildTrace;

/** Reads the message definition that dockerode ships; tens of milliseconds, so once an engine. */
export function createTraceDecoder(): DecodeTrace {
  const path = createRequire(import.meta.url).resolve('dockerode/lib/proto/buildkit_status.proto');
  const type = protobuf.parse(readFileSync(path, 'utf8')).root.lookupType('moby.buildkit.v1.StatusResponse');
  return (base64) => {
    const decoded = type.toObject(type.decode(Buffer.from(base64, 'base64')), {
      longs: Number,
      defaults: true,
    }) as RawTrace;
    return {
      vertexes: decoded.vertexes.map((vertex) => ({
        digest: vertex.digest,
        name: vertex.name,
        cached: vertex.cached,
        started: secondsOf(vertex.started),
        completed: secondsOf(vertex.completed),
        error: vertex.error,
      })),
      logs: decoded.logs.map((log) => ({
        vertex: log.vertex,
        time: secondsOf(log.timestamp),
        // A character cut in two between messages is rare, and a log may show it broken.
        text: Buffer.from(log.msg).toString('utf8'),
      })),
    };
  };
}

interface RawTime {
  seconds: number;
  nanos: number;
}

interface RawTrace {
  vertexes: {
    digest: string;
    name: string;
    cached: boolean;
    started: RawTime | null;
    completed: RawTime | null;
    error: string;
  }[];
  logs: { vertex: string; timestamp: RawTime | null; msg: Uint8Array }[];
}

function secondsOf(time: RawTime | null): number {
  return time === null ? 0 : time.seconds + time.nanos / 1e9;
}

export interface BuildLog {
  /** Takes one message and writes what is new in it. */
  take(trace: BuildTrace): void;
  /** Writes lines that never got their end. */
  flush(): void;
  /** The last output of the step that failed; `""` where none did. */
  failedTail(): string;
}

interface Step {
  number: number;
  started: number;
  /** What of a line has come so far. */
  partial: string;
  tail: string[];
  closed: boolean;
  failed: boolean;
}

/**
 * BuildKit's messages as the lines people know from its plain progress: `#5 [builder 2/6] RUN go mod
 * download`, the step's output under its number, `#5 DONE 1.2s`, `#5 CACHED`, `#5 ERROR: …`. Whole lines
 * only, so that steps running side by side stay readable. `tell` is given the same as data.
 * @param inErrors changes why a step failed; what steps are called and what they print is as it comes
 */
export function createBuildLog(
  write: (text: string) => void,
  inErrors: (error: string) => string = (error) => error,
  tell: (news: StepNews) => void = () => {},
): BuildLog {
  const steps = new Map<string, Step>();

  const line = (step: Step, text: string): void => write(`#${step.number} ${text}\n`);

  const output = (step: Step, text: string): void => {
    step.tail.push(text);
    if (step.tail.length > TAIL_LINES) step.tail.shift();
    line(step, text);
    tell({ kind: 'output', number: step.number, text });
  };

  const endPartial = (step: Step): void => {
    if (step.partial !== '') output(step, step.partial);
    step.partial = '';
  };

  const takeVertex = (vertex: BuildTrace['vertexes'][number]): void => {
    let step = steps.get(vertex.digest);
    if (step === undefined) {
      // Steps that wait, or that nothing needs, are told of too: only what begins gets a number.
      if (vertex.started === 0 && !vertex.cached) return;
      step = { number: steps.size + 1, started: 0, partial: '', tail: [], closed: false, failed: false };
      steps.set(vertex.digest, step);
      line(step, vertex.name);
      tell({ kind: 'step', number: step.number, name: vertex.name, started: timeOf(vertex.started) });
    }
    if (step.started === 0) step.started = vertex.started;
    // Some are told of again when they are done.
    if (step.closed || (vertex.completed === 0 && !vertex.cached)) return;
    step.closed = true;
    endPartial(step);
    step.failed = vertex.error !== '' && !/context canceled$/.test(vertex.error);
    tell(endOf(step, vertex, inErrors));
    if (vertex.error !== '') {
      line(step, step.failed ? `ERROR: ${inErrors(vertex.error)}` : 'CANCELED');
    } else if (vertex.cached) line(step, 'CACHED');
    else line(step, `DONE ${Math.max(0, vertex.completed - step.started).toFixed(1)}s`);
  };

  return {
    take(trace) {
      for (const vertex of trace.vertexes.filter((it) => it.completed === 0)) takeVertex(vertex);
      for (const log of trace.logs) {
        const step = steps.get(log.vertex);
        if (step === undefined) continue;
        const lines = (step.partial + log.text).split('\n');
        step.partial = lines.pop() ?? '';
        for (const text of lines) output(step, lastFrame(text));
      }
      // Ends after output: one message often holds both.
      for (const vertex of trace.vertexes.filter((it) => it.completed > 0)) takeVertex(vertex);
    },
    flush() {
      for (const step of steps.values()) endPartial(step);
    },
    failedTail() {
      return [...steps.values()]
        .filter((step) => step.failed)
        .flatMap((step) => step.tail)
        .join('\n');
    },
  };
}

function endOf(
  step: Step,
  vertex: BuildTrace['vertexes'][number],
  inErrors: (error: string) => string,
): StepNews {
  const error = step.failed ? inErrors(vertex.error) : vertex.error === '' ? '' : 'canceled';
  const { cached, completed } = vertex;
  return { kind: 'end', number: step.number, completed: timeOf(completed), cached, error };
}

function timeOf(seconds: number): string | null {
  return seconds === 0 ? null : timestamp(seconds * 1000);
}

/** Of a line that redraws itself with carriage returns, what stood there in the end. */
function lastFrame(text: string): string {
  const frames = text.split('\r').filter((frame) => frame !== '');
  return frames.at(-1) ?? '';
}
