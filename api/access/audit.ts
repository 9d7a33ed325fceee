import type { IncomingMessage } from 'node:http';
import type { AuditLine } from '../../schemas/audit.ts';
import { timestamp } from '../../schemas/program.ts';
import type { ApiDeps } from '../deps.ts';
import type { Passed } from './gate.ts';
import { RIGHTS, type Right } from './routes.ts';
import { programMadeBy } from './who.ts';

/** What takes a program's data out counts as well. */
const CHANGES = new Set<Right>(['change', 'put', 'create', 'host-change']);
const PATH_LENGTH_MAX = 500;

/**
 * The line of a request that changes something, when it is over; undefined for any other.
 * @param passed what it was let in by. @param code of its answer, 0 where that broke off
 */
export function auditLine(
  { programs, now }: Pick<ApiDeps, 'programs' | 'now'>,
  req: IncomingMessage,
  { who, route }: Passed,
  code: number,
): AuditLine | undefined {
  if (route.name === undefined || !CHANGES.has(RIGHTS[route.name])) return undefined;
  const program = route.program || (programMadeBy(req) ?? '');
  return {
    time: timestamp(now()),
    token: { id: who.id, name: who.name, role: who.role, user_id: who.userId },
    from: req.socket.remoteAddress ?? '',
    method: req.method ?? '',
    path: (req.url ?? '').slice(0, PATH_LENGTH_MAX),
    program,
    revision: (program === '' ? undefined : programs.get(program)?.details.wantedRevision) ?? 0,
    code,
  };
}
