import type { SandboxView } from '../../api/program-answers.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Engine } from '../engine/engine.ts';

/** See `ApiDeps.sandbox`. The engine is asked at each call: nobody needs it but people who look for it. */
export function createProgramSandbox(
  engine: Pick<Engine, 'inspectContainer' | 'listSandboxes'>,
  statuses: { get(name: string): ProgramStatus | undefined },
): (name: string) => Promise<SandboxView | undefined> {
  return async (name) => {
    const { containerId = '' } = statuses.get(name) ?? {};
    const container = containerId === '' ? undefined : await engine.inspectContainer(containerId);
    if (container?.sandbox === undefined) return undefined;
    const { id } = container.sandbox;
    const found = (await engine.listSandboxes(name)).find((one) => one.id === id);
    return found && { id, createdAtMs: found.createdAtMs, address: found.address };
  };
}
