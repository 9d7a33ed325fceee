import type Docker from 'dockerode';
import type { ContainerSettings } from '../../../schemas/container.ts';

/** What of a container `docker update` and `docker network` can change, and what it runs: drift is told by it. */

/** An engine leaves out what it does not know: some limits are gone from newer ones. */
export function settingsOf({
  Config: config,
  HostConfig: host,
  NetworkSettings: net,
}: Docker.ContainerInspectInfo): ContainerSettings {
  return {
    memoryBytes: host.Memory ?? 0,
    memorySwapBytes: host.MemorySwap ?? 0,
    memoryReservationBytes: host.MemoryReservation ?? 0,
    kernelMemoryBytes: host.KernelMemory ?? 0,
    cpus: (host.NanoCpus ?? 0) / 1e9,
    cpuShares: host.CpuShares ?? 0,
    cpuPeriod: host.CpuPeriod ?? 0,
    cpuQuota: host.CpuQuota ?? 0,
    cpuRealtimePeriod: host.CpuRealtimePeriod ?? 0,
    cpuRealtimeRuntime: host.CpuRealtimeRuntime ?? 0,
    cpusetCpus: host.CpusetCpus ?? '',
    cpusetMems: host.CpusetMems ?? '',
    blkioWeight: host.BlkioWeight ?? 0,
    pids: host.PidsLimit ?? 0,
    restartPolicy: host.RestartPolicy?.Name || 'no',
    network: host.NetworkMode ?? '',
    networks: Object.keys(net?.Networks ?? {}).sort(),
    command: wordsOf(config.Entrypoint),
    args: wordsOf(config.Cmd),
  };
}

/** None is null. */
function wordsOf(list: string | readonly string[] | null | undefined): string[] {
  return typeof list === 'string' ? [list] : [...(list ?? [])];
}
