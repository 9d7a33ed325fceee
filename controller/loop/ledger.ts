import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import { AppError } from '../../schemas/errors.ts';
import { timestamp } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { ControllerLog } from '../log.ts';
import type { EventDraft } from '../program/events.ts';

export interface LedgerDeps {
  registry: Registry;
  clock: Clock;
  log: ControllerLog;
}

/** How far a status has to be written before the pass goes on. */
export interface SaveOptions {
  /** Only a ledger that is on the disk does: before the first engine object. Else it may lag. */
  isFirst?: boolean;
  /** Only a ledger that has a file does, though a power cut may take it: where there is no engine object to lose. */
  isSeen?: boolean;
}

/** A status that can not be written counts in memory; only a ledger that was never written stops the pass. */
export async function save(
  deps: LedgerDeps,
  status: ProgramStatus,
  { isFirst = false, isSeen = false }: SaveOptions = {},
): Promise<void> {
  const { put, isKept } = deps.registry.status;
  try {
    await put(status, { durable: isFirst });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (!(isFirst || isSeen) || isKept(status.name)) {
      deps.log.warn({ program: status.name, error: error.message }, 'the status can not be written');
      return;
    }
    const { reason, message } = error;
    await put({ ...status, state: 'Error', reason, errorMsg: message }).catch(() => undefined);
    throw error;
  }
}

/** Tells people. Resolves when the event is written; never rejects. */
export function emit(deps: LedgerDeps, status: ProgramStatus, event: EventDraft): Promise<void> {
  const { name, state, currentRevision: revision } = status;
  const fields = { program: name, state, reason: event.reason };
  if (event.type === 'Warning') deps.log.warn(fields, event.message);
  else deps.log.debug(fields, event.message);
  const time = timestamp(deps.clock.now());
  return deps.registry.events.append(name, { time, ...event, state, revision });
}
