import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { codeOf } from '../../../schemas/errors.ts';
import { EXIT } from './exit.ts';
import { CLOSED, type Io, type Out } from './io.ts';

/** A second Ctrl-C within this is the same key, which bounces. */
const BOUNCE_MS = 200;

/** What a command has of the world when it is typed. */
export function processIo(): Io {
  const abort = new AbortController();
  // Each call that is under way listens.
  setMaxListeners(0, abort.signal);
  let interruptedAt = 0;
  const onSignal = () => {
    if (!abort.signal.aborted) {
      interruptedAt = performance.now();
      abort.abort(new Error('interrupted'));
    } else if (performance.now() - interruptedAt > BOUNCE_MS) {
      process.exit(EXIT.interrupted);
    }
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const stdin = Object.assign(process.stdin, { isTTY: process.stdin.isTTY === true });
  return {
    stdout: outOf(process.stdout, abort.signal, () => abort.abort(CLOSED)),
    // Where nobody reads what is said of it, the command goes on.
    stderr: outOf(process.stderr, abort.signal, () => undefined),
    stdin,
    env: process.env,
    cwd: process.cwd(),
    now: () => Date.now(),
    delay,
    signal: abort.signal,
    fetch: (input, init) => fetch(input, init),
    launch,
  };
}

/** @param signal what waits for a reader waits no longer */
function outOf(stream: NodeJS.WriteStream, signal: AbortSignal, onClosed: () => void): Out {
  let isClosed = false;
  stream.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') throw error;
    isClosed = true;
    onClosed();
  });
  return {
    write(text) {
      if (!isClosed) stream.write(text);
    },
    async pass(bytes) {
      if (isClosed || stream.write(bytes) || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          stream.off('drain', done).off('close', done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        stream.on('drain', done).on('close', done);
        signal.addEventListener('abort', done);
      });
    },
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80;
    },
    stream: stream.isTTY === true ? stream : undefined,
  };
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}

function launch(url: string): void {
  const child = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], {
    detached: true,
    stdio: 'ignore',
  });
  // There is no browser: the address is printed already.
  child.on('error', () => undefined);
  child.unref();
}
