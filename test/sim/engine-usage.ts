import type { Engine } from '../../controller/engine/engine.ts';
import type { SimContainer, SimWorld } from './engine-world.ts';

type Call = <T>(method: string, act: () => T | Promise<T>) => Promise<T>;

const MEMORY_BYTES = 4 * 2 ** 20;

/** A container uses a tenth of a core from its start on, and always the same memory. */
export function simUsage(world: SimWorld, call: Call): Pick<Engine, 'placeOf' | 'usageOf'> {
  const running = (id: string): SimContainer | undefined => {
    const found = world.containers.get(id);
    return found?.facts.state === 'running' || found?.facts.state === 'paused' ? found : undefined;
  };
  return {
    placeOf: (id) =>
      call('placeOf', () => {
        const settings = running(id)?.facts.settings;
        return settings && { cpuLimit: settings.cpus, memoryLimitBytes: settings.memoryBytes };
      }),
    usageOf: (id) =>
      call('usageOf', () => {
        const facts = running(id)?.facts;
        if (facts === undefined) return undefined;
        const ranMs = world.clock.now() - facts.startedAtMs;
        return { cpuNanos: 1 + ranMs * 1e5, memoryBytes: MEMORY_BYTES };
      }),
  };
}
