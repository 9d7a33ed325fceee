import { Counter, Gauge, Histogram, Registry as MetricsRegistry } from 'prom-client';
import type { StatusStore } from '../registry/records/status-store.ts';
import { PROGRAM_STATES } from '../schemas/program.ts';

export interface Metrics {
  /** @param ms how long the pass took */
  reconciled(outcome: 'ok' | 'error', ms: number): void;
  /** One thing that nothing referred to is gone. */
  collected(kind: string, bytes: number): void;
  /** What is asked when somebody scrapes. */
  watch(sources: {
    queueDepth: () => number;
    statuses: () => StatusStore;
    /** Whether this host has looked at the program: until then nothing counts as Ready. */
    isObserved: (name: string) => boolean;
  }): void;
  /** Prometheus text. */
  text(): Promise<{ contentType: string; body: string }>;
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
