import type { Registry } from '../../registry/registry.ts';
import type { Slots } from '../engine/slots.ts';
import type { ImageTasks } from '../images/once-an-image.ts';
import type { Metrics } from '../metrics.ts';
import type { EngineMonitor } from './engine-monitor.ts';
import type { Observed } from './observed.ts';
import type { Queue } from './queue.ts';

interface WatchedParts {
  queue: Queue;
  slots: Pick<Slots, 'counts'>;
  images: Pick<ImageTasks, 'counts'>;
  observed: Pick<Observed, 'has'>;
  monitor: Pick<EngineMonitor, 'health'>;
}

/** Has the parts of the loop asked for their figures when somebody scrapes. */
export function watchParts(metrics: Metrics, registry: Registry, parts: WatchedParts): void {
  const { queue, slots, images, observed, monitor } = parts;
  metrics.loop.watch({ queue, slots });
  metrics.images.watch(images);
  metrics.programs.watch({ statuses: () => registry.status, isObserved: observed.has });
  metrics.engine.watch(() => monitor.health().trouble === '');
}
