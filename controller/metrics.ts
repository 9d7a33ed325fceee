import { Registry as MetricsRegistry } from 'prom-client';
import { countEngine, type EngineFigures } from './metrics/engine.ts';
import { countHost, type HostFigures } from './metrics/host.ts';
import { countImages, type ImageFigures } from './metrics/images.ts';
import { createFigures } from './metrics/kit.ts';
import { countLoop, type LoopFigures } from './metrics/loop.ts';
import { countNotifications, type NotificationFigures } from './metrics/notifications.ts';
import { countPrograms, type ProgramFigures } from './metrics/programs.ts';
import { countProxied } from './metrics/proxy.ts';

/** What is counted, by who counts it; `docs/metrics.md` has all of it for people. */
export interface Metrics {
  programs: ProgramFigures;
  loop: LoopFigures;
  images: ImageFigures;
  engine: EngineFigures;
  host: HostFigures;
  notifications: NotificationFigures;
  /** See `countProxied`. */
  proxied: (code: number) => void;
  /** Prometheus text. */
  text(): Promise<{ contentType: string; body: string }>;
}

export interface MetricsOptions {
  /** Lines of the host's own log lost since the start. */
  logLinesDropped?: () => number;
}

export function createMetrics({ logLinesDropped = () => 0 }: MetricsOptions = {}): Metrics {
  const registry = new MetricsRegistry();
  const figures = createFigures(registry);
  return {
    programs: countPrograms(figures),
    loop: countLoop(figures),
    images: countImages(figures),
    engine: countEngine(figures),
    proxied: countProxied(figures),
    notifications: countNotifications(figures),
    host: countHost(figures, logLinesDropped),
    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
