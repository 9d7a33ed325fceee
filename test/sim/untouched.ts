import type { ContainerSettings } from '../../schemas/container.ts';
import type { ProgramSpec, Resources } from '../../schemas/program.ts';

/** The settings of a container that nobody has changed since it was made. */
export function untouched({
  memoryBytes,
  cpus,
  pids,
  command = [],
  args,
}: Resources & Pick<ProgramSpec, 'command' | 'args'>): ContainerSettings {
  return {
    command: [...command],
    // Every image has the CMD of test/setup/test-server.
    args: [...(args ?? (command.length > 0 ? [] : ['/server']))],
    ...{ memoryBytes, memorySwapBytes: memoryBytes, memoryReservationBytes: 0, kernelMemoryBytes: 0 },
    ...{ cpus, cpuShares: 0, cpuPeriod: 0, cpuQuota: 0, cpuRealtimePeriod: 0, cpuRealtimeRuntime: 0 },
    ...{ cpusetCpus: '', cpusetMems: '', blkioWeight: 0, pids },
    ...{ restartPolicy: 'no', network: 'programs', networks: ['programs'] },
  };
}
