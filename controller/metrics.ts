import { Counter, Gauge, Histogram, Registry as MetricsRegistry } from 'prom-client';
import type { StatusStore } from '../registry/records/status-store.ts';
import { PROGRAM_STATES } from '../schemas/program.ts';

export interface Metrics {
  /** @param ms how long the pass took */
  reconciled(outcome: 'ok' | 'error', ms: number): void;
  /** One thing that nothing referred to is gone. */
  collected(kind: string, bytes: number): void;
  /** What receivers of Warning events were told, each by its host. */
  notifications: {
    /** From now on there is one. */
    receiver(host: string): void;
    sent(host: string): void;
    dropped(host: string): void;
    /** @param waiting how many are not told yet, nor given up */
    watch(waiting: () => number): void;
  };
  /** What is asked when somebody scrapes. */
  watch(sources: {
    queueDepth: () => number;
    statuses: () => StatusStore;
    /** Whether this host has looked at the program: until then nothing counts as Ready. */
    isObserved: (name: string) => boolean;
  }): void;
  /** What the programs that run have used, asked when somebody scrapes. */
  watchUsage(read: () => readonly UsageCount[]): void;
  /** Prometheus text. */
  text(): Promise<{ contentType: string; body: string }>;
}

/** Null is unknown. */
export interface UsageCount {
  program: string;
  /** Since the run began. */
  cpuNanos: number | null;
  memoryBytes: number | null;
}

export interface MetricsOptions {
  /** Lines of the host's own log lost since the start. */
  logLinesDropped?: () => number;
}

export function createMetrics({ logLinesDropped = () => 0 }: MetricsOptions = {}): Metrics {
  const registry = new MetricsRegistry();
  const registers = [registry];
  const passes = new Histogram({
    name: 'hersh_reconcile_seconds',
    help: 'Duration of one look at one program.',
    labelNames: ['outcome'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const collected = new Counter({
    name: 'hersh_collected_total',
    help: 'Images, contexts, build logs, sources, histories, trash and volumes removed since nothing referred to them.',
    labelNames: ['kind'],
    registers,
  });
  const collectedBytes = new Counter({
    name: 'hersh_collected_bytes_total',
    help: 'Their sizes, as far as known.',
    registers,
  });
  countDroppedLines(registers, logLinesDropped);
  const notifications = countNotifications(registers);
  const watchUsage = countUsage(registers);
  let sources: Parameters<Metrics['watch']>[0] | undefined;
  new Gauge({
    name: 'hersh_queue_depth',
    help: 'Programs that wait to be looked at.',
    registers,
    collect() {
      this.set(sources?.queueDepth() ?? 0);
    },
  });
  new Gauge({
    name: 'hersh_programs',
    help: 'Programs by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const store = sources?.statuses();
      const counts = new Map(PROGRAM_STATES.map((state) => [state as string, 0]));
      for (const name of store?.names() ?? []) {
        const written = store?.get(name)?.state ?? '';
        const state = written === 'Ready' && sources?.isObserved(name) !== true ? 'Running' : written;
        counts.set(state, (counts.get(state) ?? 0) + 1);
      }
      for (const [state, count] of counts) this.set({ state }, count);
    },
  });
  new Counter({
    name: 'hersh_program_restarts_total',
    help: 'Automatic restarts in the life of each program.',
    labelNames: ['program'],
    registers,
    collect() {
      this.reset();
      const store = sources?.statuses();
      for (const name of store?.names() ?? [])
        this.inc({ program: name }, store?.get(name)?.restartCount ?? 0);
    },
  });
  return {
    ...{ notifications, watchUsage },
    reconciled: (outcome, ms) => passes.observe({ outcome }, ms / 1000),
    collected(kind, bytes) {
      collected.inc({ kind });
      collectedBytes.inc(bytes);
    },
    watch(given) {
      sources = given;
    },
    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function countDroppedLines(registers: MetricsRegistry[], logLinesDropped: () => number): void {
  new Counter({
    name: 'hersh_log_lines_dropped_total',
    help: "Lines of the host's own log that are lost, since nobody read them or they could not be written.",
    registers,
    collect() {
      this.reset();
      this.inc(logLinesDropped());
    },
  });
}

/** Under the names that others give these of a container. */
function countUsage(registers: MetricsRegistry[]): Metrics['watchUsage'] {
  let read: () => readonly UsageCount[] = () => [];
  const labelNames = ['program'];
  new Counter({
    name: 'hersh_program_cpu_usage_seconds_total',
    help: 'CPU time that the run of each program has used, as of the last sample; it begins anew with each run.',
    ...{ labelNames, registers },
    collect() {
      this.reset();
      for (const { program, cpuNanos } of read())
        if (cpuNanos !== null) this.inc({ program }, cpuNanos / 1e9);
    },
  });
  new Gauge({
    name: 'hersh_program_memory_working_set_bytes',
    help: 'Memory of each program that runs, without what the kernel gives back when it is needed.',
    ...{ labelNames, registers },
    collect() {
      this.reset();
      for (const { program, memoryBytes } of read())
        if (memoryBytes !== null) this.set({ program }, memoryBytes);
    },
  });
  return (given) => {
    read = given;
  };
}

function countNotifications(registers: MetricsRegistry[]): Metrics['notifications'] {
  let waiting = () => 0;
  const labelNames = ['receiver'];
  const sent = new Counter({
    name: 'hersh_notifications_sent_total',
    help: 'Notifications that a receiver has taken.',
    labelNames,
    registers,
  });
  const dropped = new Counter({
    name: 'hersh_notifications_dropped_total',
    help: 'Notifications that were given up: too many tries, too many that wait, or the host ended.',
    labelNames,
    registers,
  });
  new Gauge({
    name: 'hersh_notifications_waiting',
    help: 'Notifications that are still to be taken.',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  return {
    receiver(host) {
      for (const counter of [sent, dropped]) counter.inc({ receiver: host }, 0);
    },
    sent: (host) => sent.inc({ receiver: host }),
    dropped: (host) => dropped.inc({ receiver: host }),
    watch(given) {
      waiting = given;
    },
  };
}
