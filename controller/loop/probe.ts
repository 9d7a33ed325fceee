import { request } from 'node:http';
import { connect } from 'node:net';
import type { Clock } from '../../schemas/clock.ts';
import { codeOf } from '../../schemas/errors.ts';
import type { ProbeState } from '../../schemas/facts.ts';
import type { ProbeSpec } from '../../schemas/program.ts';

/** Readiness is asked for this often in the first two seconds of a run (design: numbers). */
const EAGER_PERIOD_MS = 25;
const EAGER_MS = 2_000;
/**
 * A connection that stays open this long reached the program: the engine's own proxy accepts on the published
 * port at once and hangs up when nothing listens behind it, on a busy machine after 50 ms and more.
 */
const TCP_LINGER_MS = 250;

/** Asks once. Resolves with `""` for a success, otherwise with why not. Never rejects. */
export type ProbeOnce = (port: number, probe: ProbeSpec) => Promise<string>;

export interface ProbeTarget {
  containerId: string;
  /** Differs for each run of the container. */
  runKey: string;
  port: number;
  readiness: ProbeSpec;
  liveness: ProbeSpec;
  /** Until it has answered once, liveness leaves it so long from now on to come up. Milliseconds; not compared. */
  startupMs: number;
}

/** Probes the containers that run, and tells when a verdict changes. */
export interface Prober {
  /** Probes exactly this container of the program from now on; `undefined`: none. */
  watch(name: string, target: ProbeTarget | undefined): void;
  /** By container id. */
  states(name: string): ReadonlyMap<string, ProbeState>;
  close(): void;
}

interface Watched {
  target: ProbeTarget;
  key: string;
  state: ProbeState;
  stop(): void;
}

export function createProber(clock: Clock, once: ProbeOnce, onChange: (name: string) => void): Prober {
  const watched = new Map<string, Watched>();

  function start(name: string, target: ProbeTarget, key: string): Watched {
    const state: ProbeState = { ready: undefined, live: undefined, message: '' };
    const cancels: (() => void)[] = [];
    const stop = () => {
      for (const cancel of cancels) cancel();
    };
    const entry: Watched = { target, key, state, stop };
    cancels.push(
      loop(target.readiness, true, (ok, message) => {
        state.message = message;
        state.cameUp ||= ok;
        const changed = state.ready !== ok;
        state.ready = ok;
        if (changed) onChange(name);
      }),
      loop(target.liveness, false, (ok, message) => {
        state.liveMessage = message;
        state.cameUp ||= ok;
        const changed = state.live !== ok;
        state.live = ok;
        if (changed) onChange(name);
      }),
    );
    return entry;

    /** A success counts at once, a failure when it came `failureThreshold` times in a row. */
    function loop(
      probe: ProbeSpec,
      eager: boolean,
      verdict: (ok: boolean, message: string) => void,
    ): () => void {
      if (probe.kind === 'none') return () => undefined;
      const startedMs = clock.monotonic();
      let failures = 0;
      let succeeded = false;
      let stopped = false;
      let cancel: (() => void) | undefined;
      const again = () => {
        const isEager = eager && !succeeded && clock.monotonic() - startedMs < EAGER_MS;
        cancel = clock.after(isEager ? EAGER_PERIOD_MS : probe.periodSeconds * 1000, run);
      };
      const run = () => {
        void once(target.port, probe).then((message) => {
          if (stopped) return;
          if (message === '') {
            failures = 0;
            succeeded = true;
            verdict(true, '');
          } else {
            failures++;
            // While it starts, a refusal says nothing yet; the first failures only leave their words.
            const startupMs = eager ? EAGER_MS : target.startupMs;
            const isStarting =
              !(eager ? succeeded : state.cameUp === true) && clock.monotonic() - startedMs < startupMs;
            if (failures >= probe.failureThreshold && !isStarting) {
              verdict(false, message);
            } else if (eager) state.message = message;
          }
          again();
        });
      };
      // Liveness leaves a program its first period to come up.
      if (eager) run();
      else again();
      return () => {
        stopped = true;
        cancel?.();
      };
    }
  }

  return {
    watch(name, target) {
      const before = watched.get(name);
      const key = target === undefined ? '' : JSON.stringify({ ...target, startupMs: 0 });
      if (before?.key === key) return;
      before?.stop();
      watched.delete(name);
      if (target === undefined) return;
      const entry = start(name, target, key);
      // Another probe of the same run starts from the verdict there is.
      if (before?.target.runKey === target.runKey) Object.assign(entry.state, before.state);
      watched.set(name, entry);
    },
    states(name) {
      const entry = watched.get(name);
      return new Map(entry === undefined ? [] : [[entry.target.containerId, entry.state]]);
    },
    close() {
      for (const entry of watched.values()) entry.stop();
      watched.clear();
    },
  };
}

/** Asks over the published port of this machine. */
export const probeOnce: ProbeOnce = (port, probe) => {
  if (probe.kind === 'none') return Promise.resolve('');
  return probe.kind === 'http'
    ? probeHttp(port, probe.path, probe.timeoutSeconds)
    : probeTcp(port, probe.timeoutSeconds);
};

function probeHttp(port: number, path: string, timeoutSeconds: number): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        headers: { 'user-agent': 'hersh-probe', connection: 'close' },
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.destroy();
        finish(statusCode >= 200 && statusCode < 300 ? '' : `GET ${path} answered ${statusCode}`);
      },
    );
    const timer = setTimeout(() => {
      finish(`GET ${path} gave no answer within ${timeoutSeconds} s`);
      asked.destroy();
    }, timeoutSeconds * 1000);
    const finish = (message: string) => {
      clearTimeout(timer);
      resolve(message);
    };
    asked.on('error', (error) => finish(`GET ${path}: ${whyCut(error)}`));
    asked.end();
  });
}

function probeTcp(port: number, timeoutSeconds: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (message: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(message);
    };
    let timer = setTimeout(() => finish(`no connection within ${timeoutSeconds} s`), timeoutSeconds * 1000);
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(''), TCP_LINGER_MS);
    });
    socket.once('data', () => finish(''));
    socket.once('error', (error) => finish(whyCut(error)));
    socket.once('close', () => finish(CUT));
  });
}

const CUT = 'the connection was closed without an answer; does the program listen on 8080?';

/** Whether Node calls it `socket hang up` or `read ECONNRESET` is chance; one fact is told in one way. */
function whyCut(error: Error): string {
  return ['ECONNRESET', 'EPIPE'].includes(codeOf(error)) ? CUT : error.message;
}
