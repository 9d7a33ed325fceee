import type Docker from 'dockerode';
import { keptIn, UNATTENDED } from './hardening.ts';

/** The least that Docker 26.1 starts a container with. */
const MEMORY_BYTES = 16 * 2 ** 20;

/**
 * Docker's create options for a network sandbox, but for its name, labels, network and ports. Its process has no right
 * and no room for anything: what joins it shares its network and nothing else.
 */
export function sandboxOptions(
  image: string,
): Docker.ContainerCreateOptions & { HostConfig: Docker.HostConfig } {
  return {
    Image: image,
    ...UNATTENDED,
    HostConfig: {
      // It is pid 1 itself, and there is no second: nothing else runs in it, and no command can.
      ...keptIn({ memoryBytes: MEMORY_BYTES, pids: 1 }),
      Init: false,
      // A network that one of gVisor's own stack has been in is of no use to the next.
      Runtime: 'runc',
      // It says nothing.
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}
