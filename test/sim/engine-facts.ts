import type { CreateContainer } from '../../controller/engine/engine.ts';
import { labelsOf, type Owner } from '../../controller/engine/owner.ts';
import type { Container, ContainerSummary } from '../../schemas/container.ts';
import { LABELS } from '../../schemas/program.ts';
import { untouched } from './untouched.ts';

/** What the simulated engine says of a container. */

export function newFacts(
  id: string,
  request: CreateContainer,
  env: Record<string, string>,
  owner: Owner,
  nowMs: number,
): Container {
  const own = { ...labelsOf(owner), [LABELS.program]: request.program };
  return {
    id,
    name: request.name,
    program: request.program,
    state: 'created',
    labels: { [LABELS.specHash]: '', [LABELS.build]: '', ...request.labels, ...own },
    imageId: request.image,
    createdAtMs: nowMs,
    startedAtMs: 0,
    finishedAtMs: 0,
    exitCode: 0,
    oomKilled: false,
    oomToldMs: 0,
    startError: '',
    publishPort: request.publishPort,
    servedPort: 0,
    settings: untouched(request),
    ...{ stateVolume: request.volume, runtime: request.runtime, env, loosened: [] },
  };
}

export function summaryOf({ id, name, program, state, servedPort, labels }: Container): ContainerSummary {
  return { id, name, program, state, servedPort, labels: { ...labels } };
}
