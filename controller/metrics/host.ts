import type { HostWarning } from '../../schemas/host-view.ts';
import { type Figures, one, SHORT } from './kit.ts';

/** What is known of the host itself, asked when somebody scrapes. */
export interface HostSources {
  version: string;
  instance: string;
  /** Epoch milliseconds. */
  startedAtMs: number;
  warnings: () => readonly HostWarning[];
  /** What can be written yet where the registry lies; undefined where that can not be found out. Bytes. */
  freeBytes: () => Promise<number | undefined>;
  /** What of this host takes up disk, as of the last look; undefined before the first. */
  disk: () => { kinds: readonly { kind: string; bytes: number | null }[] } | undefined;
}

export interface HostFigures {
  watch(sources: HostSources): void;
  /** The event loop came so much later to a timer than it was to. */
  lagged(ms: number): void;
  /** One thing that nothing referred to is gone. */
  collected(kind: string, bytes: number): void;
}

/** @param logLinesDropped lines of the host's own log lost since the start */
export function countHost(figures: Figures, logLinesDropped: () => number): HostFigures {
  let sources: HostSources | undefined;
  figures.gauge('hersh_host_info', '1, with what this host is.', ['version', 'instance'], () => {
    if (sources === undefined) return [];
    const { version, instance } = sources;
    return [[{ version, instance }, 1]];
  });
  figures.gauge(
    'hersh_host_warnings',
    'Warnings that stand, as GET /host has them, by their code; no series where there is none.',
    ['code'],
    () => {
      const counts = new Map<string, number>();
      for (const { code } of sources?.warnings() ?? []) counts.set(code, (counts.get(code) ?? 0) + 1);
      return [...counts].map(([code, count]) => [{ code }, count] as const);
    },
  );
  figures.gauge(
    'hersh_registry_free_bytes',
    'What may still be written on the file system of the registry; no series where that is not known.',
    [],
    async () => {
      const bytes = await sources?.freeBytes();
      return bytes === undefined ? [] : one(bytes);
    },
  );
  figures.gauge(
    'hersh_disk_used_bytes',
    'What of this host takes up disk, by kind, as of the last look for what can go.',
    ['kind'],
    () =>
      (sources?.disk()?.kinds ?? []).flatMap(({ kind, bytes }) =>
        bytes === null ? [] : [[{ kind }, bytes]],
      ),
  );
  countProcess(figures, () => sources?.startedAtMs);
  const lag = figures.histogram(
    'hersh_event_loop_lag_seconds',
    "How much later than asked the host's event loop came to a timer, twice a second.",
    SHORT,
  );
  const collected = figures.counter(
    'hersh_collected_total',
    'Images, contexts, build logs, sources, histories, trash and volumes removed since nothing referred to them.',
    'kind',
  );
  const collectedBytes = figures.counter('hersh_collected_bytes_total', 'Their sizes, as far as known.');
  figures.total(
    'hersh_log_lines_dropped_total',
    "Lines of the host's own log that are lost, since nobody read them or they could not be written.",
    [],
    () => one(logLinesDropped()),
  );
  return {
    watch(given) {
      sources = given;
    },
    lagged: (ms) => lag.observe(ms / 1000),
    collected(kind, bytes) {
      collected.inc({ kind });
      collectedBytes.inc(bytes);
    },
  };
}

/** Under the names that every client of Prometheus gives these. */
function countProcess(figures: Figures, startedAtMs: () => number | undefined): void {
  figures.total('process_cpu_seconds_total', 'CPU time of the host itself.', [], () => {
    const { user, system } = process.cpuUsage();
    return one((user + system) / 1e6);
  });
  figures.gauge('process_resident_memory_bytes', 'Memory of the host itself.', [], () =>
    one(process.memoryUsage.rss()),
  );
  figures.gauge('process_start_time_seconds', 'When the host started, in seconds since 1970.', [], () => {
    const ms = startedAtMs();
    return ms === undefined ? [] : one(ms / 1000);
  });
}
