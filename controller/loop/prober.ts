import type { Clock } from '../../schemas/clock.ts';
import type { ProbeState } from '../../schemas/facts.ts';
import type { ProbeSpec } from '../../schemas/program.ts';
import type { IsPortLost } from './knock.ts';
import { type PortWatch, watchPort } from './port-watch.ts';
import type { ProbeOnce } from './probe-once.ts';

/** Readiness is asked for this often in the first two seconds of a run (design: numbers). */
const EAGER_PERIOD_MS = 25;
const EAGER_MS = 2_000;

type ProbeKind = 'readiness' | 'liveness';

export interface ProbeTarget {
  containerId: string;
  /** Differs for each run of the container. */
  runKey: string;
  port: number;
  /** The container's own, on this machine; `""` where none is known. */
  address: string;
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

/** How programs are asked. */
export interface Asking {
  once: ProbeOnce;
  isPortLost: IsPortLost;
}

export interface ProberDeps extends Asking {
  clock: Clock;
  isEngineThere: () => boolean;
  onChange: (name: string) => void;
  /** Told of each probe that failed, but for those while the program comes up. */
  onFailure?: (name: string, probe: ProbeKind) => void;
}

export function createProber(deps: ProberDeps): Prober {
  const { clock, once, isPortLost, isEngineThere, onFailure } = deps;
  const watched = new Map<string, Watched>();

  function start(name: string, target: ProbeTarget, key: string): Watched {
    const state: ProbeState = { ready: undefined, live: undefined, message: '' };
    const onChange = () => deps.onChange(name);
    const port = watchPortOf(target, {
      ...{ clock, isPortLost, isEngineThere },
      onVerdict(isLost) {
        state.portLost = isLost;
        onChange();
      },
    });
    const asked: Asked = {
      ...{ clock, once, target, state, onChange },
      onFailure(probe) {
        onFailure?.(name, probe);
        port?.suspect();
      },
    };
    const stops = [startAsking('readiness', asked), startAsking('liveness', asked)];
    const stop = () => {
      for (const end of stops) end();
      port?.stop();
    };
    return { target, key, state, stop };
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
      if (before?.target.runKey === target.runKey)
        Object.assign(entry.state, before.state, { portLost: false });
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

function watchPortOf(
  { port, address, readiness, liveness }: ProbeTarget,
  more: Pick<ProberDeps, 'clock' | 'isPortLost' | 'isEngineThere'> & { onVerdict: (isLost: boolean) => void },
): PortWatch | undefined {
  if (address === '') return undefined;
  const isProbed = [readiness, liveness].some(({ kind }) => kind !== 'none');
  return watchPort({ ...more, port, address, isProbed });
}

interface Asked {
  clock: Clock;
  once: ProbeOnce;
  target: ProbeTarget;
  state: ProbeState;
  onChange: () => void;
  onFailure: (probe: ProbeKind) => void;
}

/**
 * Asks until the function it gives is called. A success counts at once, a failure when it came `failureThreshold`
 * times in a row.
 */
function startAsking(kind: ProbeKind, asked: Asked): () => void {
  const { clock, once, target, state } = asked;
  const probe = target[kind];
  if (probe.kind === 'none') return () => undefined;
  const isEager = kind === 'readiness';
  const startedMs = clock.monotonic();
  let failures = 0;
  let succeeded = false;
  let stopped = false;
  let cancel = () => {};

  const isStarting = (): boolean => {
    const isUp = isEager ? succeeded : state.cameUp === true;
    return !isUp && clock.monotonic() - startedMs < (isEager ? EAGER_MS : target.startupMs);
  };
  const take = (message: string): void => {
    if (message === '') {
      failures = 0;
      succeeded = true;
      giveVerdict(kind, asked, true, '');
      return;
    }
    failures++;
    if (!isStarting()) asked.onFailure(kind);
    // While it starts, a refusal says nothing yet; the first failures only leave their words.
    if (failures >= probe.failureThreshold && !isStarting()) giveVerdict(kind, asked, false, message);
    else if (isEager) state.message = message;
  };
  const again = (): void => {
    cancel = clock.after(isEager && isStarting() ? EAGER_PERIOD_MS : probe.periodSeconds * 1000, run);
  };
  const run = (): void => {
    void once(target.port, probe, target.address).then((message) => {
      if (stopped) return;
      take(message);
      again();
    });
  };
  // Liveness leaves a program its first period to come up.
  if (isEager) run();
  else again();
  return () => {
    stopped = true;
    cancel();
  };
}

function giveVerdict(kind: ProbeKind, { state, onChange }: Asked, ok: boolean, message: string): void {
  const before = kind === 'readiness' ? state.ready : state.live;
  state.cameUp ||= ok;
  if (kind === 'readiness') Object.assign(state, { ready: ok, message });
  else Object.assign(state, { live: ok, liveMessage: message });
  if (before !== ok) onChange();
}
