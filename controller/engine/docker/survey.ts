import { LABELS } from '../../../schemas/program.ts';
import { connect } from './client.ts';
import { refused } from './errors.ts';

/** What a look at an engine from outside shows, before any host uses it. */
export interface EngineSurvey {
  version: string;
  storageDriver: string;
  /** Where it keeps its data; on another machine where it is of another. */
  dataFolder: string;
  cgroupVersion: string;
  cgroupDriver: string;
  /** By name, the program that each is; `""` where the engine does not tell. */
  runtimes: ReadonlyMap<string, string>;
  /** Limits of programs that its kernel does not hold. */
  lacks: readonly string[];
  /** As the engine calls it: `x86_64`. */
  machine: string;
  /** Whether it is behind a socket in the file system. */
  isHere: boolean;
}

/** The engine's flags that say a limit is held. */
const LIMITS: Readonly<Record<string, string>> = {
  MemoryLimit: 'memory',
  CpuCfsQuota: 'CPU',
  PidsLimit: 'processes',
};

/** Of the engine that `dockerHost` or DOCKER_HOST names, or of the local one. Rejects `EngineUnavailable`. */
export async function surveyEngine(dockerHost?: string): Promise<EngineSurvey> {
  const { look, hasSocket: isHere } = connect(dockerHost);
  const found = (await refused(look.info(), 'EngineUnavailable')) as Record<string, unknown>;
  const text = (key: string) => String(found[key] ?? '');
  const runtimes = Object.entries((found.Runtimes ?? {}) as Record<string, { path?: string }>);
  return {
    ...{ version: text('ServerVersion'), storageDriver: text('Driver'), dataFolder: text('DockerRootDir') },
    // Before 20.10 there was the first one only, and it was not told.
    ...{ cgroupVersion: text('CgroupVersion') || '1', cgroupDriver: text('CgroupDriver'), isHere },
    machine: text('Architecture'),
    runtimes: new Map(runtimes.map(([name, { path = '' }]) => [name, path])),
    lacks: Object.entries(LIMITS)
      .filter(([flag]) => found[flag] === false)
      .map(([, limit]) => limit),
  };
}

/** Ports of this machine that containers of any host are published on. Rejects `EngineUnavailable`. */
export async function publishedPorts(dockerHost?: string): Promise<Set<number>> {
  const { look } = connect(dockerHost);
  const found = [LABELS.instance, LABELS.sandboxInstance].map((label) =>
    refused(look.listContainers({ filters: { label: [label] } }), 'EngineUnavailable'),
  );
  const ports = (await Promise.all(found))
    .flat()
    .flatMap(({ Ports }) => Ports.map(({ PublicPort }) => PublicPort));
  return new Set(ports.filter((port) => port !== undefined));
}
