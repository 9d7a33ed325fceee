import type { Registry } from '../../registry/registry.ts';
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
