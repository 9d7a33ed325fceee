import { createMetrics, type Metrics } from '../../../controller/metrics.ts';
import type { StatusStore } from '../../../registry/records/status-store.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import { emptyStatus, type ProgramStatus } from '../../../schemas/status.ts';

/** A store of these, called `p0`, `p1` and so on where they have no name. */
export function statuses(...list: Partial<ProgramStatus>[]): StatusStore {
  const all = new Map(
    list.map((one, index) => {
      const name = one.name ?? `p${index}`;
      return [name, { ...emptyStatus(name, 0), ...one }];
    }),
  );
  const store: Pick<StatusStore, 'names' | 'get'> = {
    names: () => [...all.keys()],
    get: (name) => all.get(name),
  };
  return store as StatusStore;
}

/** A program that is wanted so, by its raw spec. */
export function wanted(rawSpec: Record<string, unknown>, more: Partial<ProgramStatus> = {}): ProgramStatus {
  const status = { ...emptyStatus('', 0), ...more };
  const spec = resolveSpec({ userId: 'u', image: 'x', ...rawSpec }, 'runc');
  const inForce = { rawHash: '', rawSpec, spec, labels: {} };
  return { ...status, memory: { ...status.memory, program: { ...status.memory.program, inForce } } };
}

/** Metrics in which every figure there is has a series. */
export function allFigures(): Metrics {
  const metrics = createMetrics({ logLinesDropped: () => 1 });
  const { programs, loop, images, engine, host, notifications } = metrics;
  const down = wanted(
    { resources: { memory: '64Mi' } },
    { name: 'app', state: 'Error', reason: 'BuildFailed' },
  );
  programs.watch({ statuses: () => statuses(down), isObserved: () => true });
  programs.watchUsage(() => [{ program: 'app', cpuNanos: 1.5e9, memoryBytes: 2 ** 20 }]);
  programs.probeFailed('app', 'readiness');
  loop.watch({
    queue: { depth: 1, oldestMs: 2_000, longestMs: 3_000 },
    slots: { counts: () => ({ running: 1, waiting: 2 }) },
  });
  loop.reconciled('ok', 5);
  loop.failed('EngineUnavailable');
  loop.waited(5);
  const counts = { running: 1, waiting: 2 };
  images.watch({ counts: () => ({ builds: counts, pulls: counts }) });
  images.built('succeeded', 5_000);
  images.pulled('failed', 5_000);
  engine.watch(() => true);
  engine.called('listContainers', 'ok', 5);
  metrics.proxied(200);
  notifications.receiver('hooks.example.org');
  host.watch({
    ...{ version: '1.2.3', instance: 'default', startedAtMs: 1_000 },
    warnings: () => [{ code: 'PrunePaused', message: '', names: [], confirm: 'programs' }],
    freeBytes: async () => 2 ** 30,
    disk: () => ({ kinds: [{ kind: 'image', bytes: 2 ** 30 }] }),
  });
  host.lagged(5);
  host.collected('image', 10);
  return metrics;
}
