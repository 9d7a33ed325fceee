import type { ProgramStatus } from '../../schemas/status.ts';
import type { Ports } from '../ports/ports.ts';
import { emit, save } from './ledger.ts';
import { failedToStart, type MakeDeps } from './make-container.ts';
import type { Outcome } from './outcome.ts';

/** The port was taken by somebody else on this machine: another one, and a container for it. */
export async function reassignPort(
  deps: MakeDeps & { ports: Ports },
  status: ProgramStatus,
  taken: number,
): Promise<Outcome> {
  let port: number;
  try {
    port = await deps.ports.reserve(status.name, new Set([taken]));
  } catch (error) {
    return failedToStart(deps, status, error);
  }
  deps.ports.release(status.name, port);
  const next = { ...status, publishPort: port };
  await save(deps, next);
  const message = `port ${taken} is taken by something else on this machine; the program moves to ${port}`;
  await emit(deps, next, { type: 'Warning', reason: 'PortReassigned', message });
  return { status: next, goOn: false };
}
