import ora from 'ora';
import type { Out } from '../io/io.ts';
import { oneLine, type Paint } from './paint.ts';

/** What is going on, for people. */
export interface Progress {
  /** Goes on from now on; at a terminal it moves until the next word. */
  doing(text: string): void;
  /** A line that stays. */
  done(text: string): void;
  failed(text: string): void;
  /** Nothing moves any more. */
  stop(): void;
}

/** On a terminal a line that moves, with what is done above it; in a pipe a line for all that begins or ends. */
export function createProgress(out: Out, paint: Paint): Progress {
  if (out.stream === undefined) return lines(out, paint);
  // Ctrl-C is the command's own matter.
  const spinner = ora({ stream: out.stream, discardStdin: false, hideCursor: false, color: false });
  const fit = (text: string) => [...oneLine(text)].slice(0, Math.max(10, out.columns - 4)).join('');
  const above = (mark: string, text: string) => {
    spinner.stop();
    out.write(`${mark} ${oneLine(text)}\n`);
  };
  return {
    doing: (text) => void spinner.start(fit(text)),
    done: (text) => above(paint('green', '✔'), text),
    failed: (text) => above(paint('red', '✖'), text),
    stop: () => void spinner.stop(),
  };
}

function lines(out: Out, paint: Paint): Progress {
  let last = '';
  const say = (text: string) => {
    if (text !== last) out.write(`${text}\n`);
    last = text;
  };
  return {
    doing: (text) => say(oneLine(text)),
    done: (text) => say(oneLine(text)),
    failed: (text) => say(paint('red', oneLine(text))),
    stop: () => undefined,
  };
}
