import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type Docker from 'dockerode';

/** Whether a bridge is one of this machine's, by its interface's name. */
export type IsBridgeHere = (name: string) => Promise<boolean>;

/**
 * Where a container is reached on this machine beside its port; `""` of an engine elsewhere, in a machine of its own or
 * without root: there that address is nobody's, or a stranger's. What is here stays here, and is looked for once.
 */
export function createOwnAddresses(
  hasSocket: boolean,
  isBridgeHere: IsBridgeHere = isInterface,
): (found: Docker.ContainerInspectInfo) => Promise<string> {
  const here = new Set<string>();
  return async ({ HostConfig: { NetworkMode: name = '' }, NetworkSettings: settings }) => {
    const { NetworkID: id = '', IPAddress: address = '' } = settings?.Networks?.[name] ?? {};
    if (!hasSocket || id === '' || address === '') return '';
    const bridge = `br-${id.slice(0, 12)}`;
    if (!here.has(bridge)) {
      if (!(await isBridgeHere(bridge))) return '';
      here.add(bridge);
    }
    return address;
  };
}

/** Either alone misses some: `/sys` may be of another network namespace, and Node leaves out what has no carrier yet. */
async function isInterface(name: string): Promise<boolean> {
  return existsSync(`/sys/class/net/${name}`) || networkInterfaces()[name] !== undefined;
}
