import type Docker from 'dockerode';
import type { ContainerPlace, ContainerUsage } from '../container-usage.ts';
import type { Connection } from './client.ts';
import { absent } from './errors.ts';

/** What the two versions of cgroups call memory that the kernel gives back when it is needed; only one is in an answer. */
const GIVEN_BACK = ['total_inactive_file', 'inactive_file'] as const;

/** The parts of the engine's answer that count here; each may be missing, as of a container that does not run. */
export interface StatsAnswer {
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
  memory_stats?: { usage?: number; stats?: Partial<Record<string, number>> };
}

/** See `Engine.placeOf`. */
export async function placeOf(
  { look, hasSocket }: Connection,
  id: string,
): Promise<ContainerPlace | undefined> {
  const found = await absent(look.getContainer(id).inspect(), [404], 'InternalError');
  if (found === undefined || !found.State.Running) return undefined;
  const { Memory: memory = 0, NanoCpus: nanoCpus = 0 } = found.HostConfig;
  return {
    ...(hasSocket && found.State.Pid > 0 && { pid: found.State.Pid }),
    cpuLimit: nanoCpus > 0 ? nanoCpus / 1e9 : null,
    memoryLimitBytes: memory > 0 ? memory : null,
  };
}

/** See `Engine.usageOf`. Asked for one sample: otherwise the engine takes two, a second apart. */
export async function usageOf(docker: Docker, id: string): Promise<ContainerUsage | undefined> {
  const call = docker.getContainer(id).stats({ stream: false, 'one-shot': true });
  const answer: StatsAnswer | undefined = await absent(call, [404], 'InternalError');
  return answer && usageIn(answer);
}

/** Undefined where it tells nothing, as of a container that does not run. Pure. */
export function usageIn({ cpu_stats: cpu, memory_stats: memory }: StatsAnswer): ContainerUsage | undefined {
  const nanos = cpu?.cpu_usage?.total_usage ?? 0;
  const bytes = memory?.usage ?? 0;
  // What runs has used some of both; 0 is a word for nothing here.
  if (nanos === 0 && bytes === 0) return undefined;
  const idle = GIVEN_BACK.map((name) => memory?.stats?.[name]).find((value) => value !== undefined) ?? 0;
  return {
    cpuNanos: nanos > 0 ? nanos : null,
    // As `docker stats` has it, to which all of it counts where the rest would be nothing.
    memoryBytes: bytes === 0 ? null : idle < bytes ? bytes - idle : bytes,
  };
}
