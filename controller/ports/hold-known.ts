import type { Registry } from '../../registry/registry.ts';
import type { ContainerSummary } from '../../schemas/container.ts';
import type { ControllerLog } from '../log.ts';
import { ownPort } from './hold.ts';
import type { Ports } from './ports.ts';

/**
 * Holds the ports that the ledgers name. To be called before anything is reserved, so that no program loses its port
 * to another that is looked at first.
 */
export function holdKnownPorts(registry: Registry, ports: Ports, log: ControllerLog): void {
  for (const name of registry.status.names()) {
    const port = ownPort(registry.status.get(name)?.publishPort ?? 0);
    if (port > 0 && !ports.hold(name, port)) {
      log.warn({ program: name, port }, 'its port is held by another program');
    }
  }
}

/**
 * Holds the ports that programs serve on, whatever ledgers say: those may be lost, or behind after a full disk. To be
 * called before any program is looked at: one that pins such a port is not to have it because it happens to be first.
 */
export function holdServedPorts(containers: readonly ContainerSummary[], ports: Ports): void {
  const serving = containers.filter(({ servedPort }) => servedPort > 0);
  for (const { program, servedPort } of serving) {
    const other = ports.holder(servedPort);
    if (other !== undefined && other !== program) ports.release(other);
  }
  for (const { program, servedPort } of serving) ports.hold(program, servedPort);
}
