import type { Clock } from '../../schemas/clock.ts';
import type { ContainerPlace } from '../engine/container-usage.ts';
import type { Engine } from '../engine/engine.ts';
import { besideOf, type Group, type GroupLimits } from './cgroup.ts';
import type { CgroupReader } from './cgroup-reader.ts';
import type { Counters } from './rates.ts';

/**
 * Limits of a group are read at its first reading, and again after so many; one that was not there, at each: a group is
 * there before its limits are, and what can not be read for a moment looks the same.
 */
const LIMITS_EVERY = 20;

/** Reads the counters of containers, each where they can be had. */
export interface Meter {
  /** At once, out of the kernel; undefined where it is not known where, or the container does not run any more. */
  read(id: string): Counters | undefined;
  /**
   * Finds out where a container is counted, and reads it: where that is not in the kernel of this machine, the engine
   * is asked each time. Undefined where it does not run. Rejects as the engine does.
   */
  ask(id: string): Promise<Counters | undefined>;
  /** Only these are still of interest. */
  keep(ids: ReadonlySet<string>): void;
}

/** Where a container is counted: in the kernel, or by the engine alone. */
type Source =
  | { kind: 'kernel'; group: Group; limits: GroupLimits; reads: number }
  | { kind: 'engine'; place: ContainerPlace };

export function createMeter(
  engine: Pick<Engine, 'placeOf' | 'usageOf'>,
  cgroups: CgroupReader,
  clock: Pick<Clock, 'monotonic'>,
): Meter {
  const sources = new Map<string, Source>();
  /** Of whichever container was found last: others are mostly beside it, which spares the engine a question for each. */
  let found: { id: string; group: Group } | undefined;

  function readGroup(id: string, group: Group): Counters | undefined {
    const counted = readQuietly(cgroups, group);
    if (counted === undefined) {
      sources.delete(id);
      return undefined;
    }
    const known = sources.get(id);
    const before = known?.kind === 'kernel' ? known : undefined;
    const reads = before === undefined ? 0 : (before.reads + 1) % LIMITS_EVERY;
    const areKnown = before !== undefined && reads > 0 && isWhole(before.limits);
    const limits = areKnown ? before.limits : cgroups.limits(group);
    sources.set(id, { kind: 'kernel', group, limits, reads });
    const nowMs = clock.monotonic();
    return { ...counted, ...limits, fromMs: nowMs, toMs: nowMs };
  }

  async function askEngine(id: string, place: ContainerPlace): Promise<Counters | undefined> {
    const fromMs = clock.monotonic();
    const used = await engine.usageOf(id);
    if (used === undefined) {
      sources.delete(id);
      return undefined;
    }
    const { cpuLimit, memoryLimitBytes } = place;
    return { ...used, cpuLimit, memoryLimitBytes, fromMs, toMs: clock.monotonic() };
  }

  function read(id: string): Counters | undefined {
    const source = sources.get(id);
    if (source?.kind === 'engine') return undefined;
    if (source !== undefined) return readGroup(id, source.group);
    return found && readGroup(id, besideOf(found.group, found.id, id));
  }

  return {
    read,
    async ask(id) {
      const source = sources.get(id);
      if (source?.kind === 'engine') return askEngine(id, source.place);
      // One that was asked about meanwhile may have shown where.
      const counted = read(id);
      if (counted !== undefined) return counted;
      const place = await engine.placeOf(id);
      if (place === undefined) return undefined;
      const group = place.pid === undefined ? undefined : findQuietly(cgroups, id, place.pid);
      const first = group && readGroup(id, group);
      if (group !== undefined && first !== undefined) {
        found = { id, group };
        return first;
      }
      sources.set(id, { kind: 'engine', place });
      return askEngine(id, place);
    },
    keep(ids) {
      for (const id of sources.keys()) if (!ids.has(id)) sources.delete(id);
    },
  };
}

const isWhole = ({ cpuLimit, memoryLimitBytes }: GroupLimits): boolean =>
  cpuLimit !== null && memoryLimitBytes !== null;

/** Where this machine does not show it, whatever the reason, the engine is asked. */
function findQuietly(cgroups: CgroupReader, id: string, pid: number): Group | undefined {
  try {
    return cgroups.find(id, pid);
  } catch {
    return undefined;
  }
}

/** As above. */
function readQuietly(cgroups: CgroupReader, group: Group): ReturnType<CgroupReader['read']> {
  try {
    return cgroups.read(group);
  } catch {
    return undefined;
  }
}
