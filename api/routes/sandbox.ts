import { timestamp } from '../../schemas/program.ts';
import { findProgram, type RouteContext, type Routes, sendJson } from '../http/route.ts';

/** What holds a program's network, see ADR 21; all null where its container has its own. */
export interface SandboxBody {
  program_id: string;
  sandbox_id: string | null;
  created_at: string | null;
  /** `""` while it is on no network. */
  address: string | null;
}

/** For whoever looks for it: no other answer has it. */
export function addSandboxRoutes(routes: Routes): void {
  routes.add('/programs/:id/sandbox', { GET: showSandbox });
}

async function showSandbox({ c, deps }: RouteContext): Promise<Response> {
  const { name } = findProgram(c, deps);
  const found = await deps.sandbox(name);
  const body: SandboxBody = {
    program_id: name,
    sandbox_id: found?.id ?? null,
    created_at: found === undefined ? null : timestamp(found.createdAtMs),
    address: found?.address ?? null,
  };
  return sendJson(body);
}
