import type { Problem } from '../../schemas/errors.ts';
import type { ProgramMemory, Runtime } from '../../schemas/program.ts';
import { resolveSpec, underPolicy } from '../../schemas/resolve.ts';
import { digest } from '../../schemas/spec-hash.ts';
import type { Asked, Wanted } from '../../schemas/wanted.ts';
import { forgetCrashes, forgetFailures } from './memory.ts';
import type { Goal } from './observed.ts';

export interface GoalResult {
  goal: Goal;
  memory: ProgramMemory;
  generation: number;
  problems: readonly Problem[];
  /** Why the manifest is not there while that is not believed, or `""`. */
  missing: string;
}

/**
 * What is in force for a program: its manifest, or the last valid one while the file is broken or missing. Pure.
 * A spec that nobody changed keeps the defaults it was resolved with, so that a newer host never replaces a
 * running fleet.
 */
export function goalOf(
  wanted: Wanted,
  remembered: ProgramMemory,
  generation: number,
  hostRuntime: Runtime,
): GoalResult {
  const memory = allowed(remembered, hostRuntime);
  const isBroken = wanted.kind === 'present' && wanted.entry.program === undefined;
  if (wanted.kind === 'gone' || (isBroken && memory.deleted === true)) {
    const leaving = { ...memory, deleted: true as const };
    return { goal: { kind: 'remove' }, memory: leaving, generation, problems: [], missing: '' };
  }
  const entry = wanted.kind === 'present' ? wanted.entry : undefined;
  const why = wanted.kind === 'unknown' ? (wanted.why ?? 'the manifest is missing') : '';
  const missing = why === '' ? '' : `${why}; the last valid one stays in force`;
  const problems = entry?.problems ?? [];
  const program = entry?.program;
  if (program === undefined) {
    const inForce = withAsked(memory.inForce, entry?.asked);
    if (inForce === undefined) return { goal: { kind: 'hold' }, memory, generation, problems, missing };
    const { spec } = inForce;
    const isNew = inForce !== memory.inForce;
    const next = { ...memory, inForce };
    return {
      goal: kindOf(spec),
      memory: isNew ? forgetWhereAsked(next, spec.desiredState, spec.restartedAt) : memory,
      generation: isNew ? generation + 1 : generation,
      ...{ problems, missing },
    };
  }
  const rawHash = digest({ raw: program.rawSpec, runtime: program.rawSpec.runtime ?? hostRuntime });
  const known = memory.inForce;
  const spec = known?.rawHash === rawHash ? known.spec : resolveSpec(program.rawSpec, hostRuntime);
  const changed = known === undefined || digest(known.spec) !== digest(spec);
  const next: ProgramMemory = {
    ...(changed ? forgetCrashes(memory) : memory),
    inForce: { rawHash, rawSpec: program.rawSpec, spec, labels: program.labels },
  };
  // Data belongs to the user who made it; another one, also of a name not yet quite deleted, begins anew.
  if (known !== undefined && known.spec.userId !== spec.userId) delete next.volume;
  return {
    goal: kindOf(spec),
    memory: forgetWhereAsked(next, spec.desiredState, spec.restartedAt),
    generation: changed ? generation + 1 : generation,
    problems,
    missing,
  };
}

/** The last valid spec with what a call asked for since the manifest is not valid; the next valid one replaces both. */
function withAsked(inForce: ProgramMemory['inForce'], asked: Asked = {}): ProgramMemory['inForce'] {
  if (inForce === undefined) return undefined;
  const spec = { ...inForce.spec, ...asked };
  return digest(spec) === digest(inForce.spec) ? inForce : { ...inForce, rawHash: '', spec };
}

/** What may come back, or stays in force, does so under what the host allows now. */
function allowed(memory: ProgramMemory, hostRuntime: Runtime): ProgramMemory {
  const { inForce, good } = memory;
  return {
    ...memory,
    ...(inForce && { inForce: { ...inForce, spec: underPolicy(inForce.spec, hostRuntime) } }),
    ...(good && { good: { ...good, spec: underPolicy(good.spec, hostRuntime) } }),
  };
}

function kindOf(spec: NonNullable<ProgramMemory['inForce']>['spec']): Goal {
  return spec.desiredState === 'Running' ? { kind: 'run', spec } : { kind: 'stop', spec };
}

/** A stop, or a `restartedAt` not seen before, clears back-off, failed builds and rolled-back revisions. */
function forgetWhereAsked(
  memory: ProgramMemory,
  desired: 'Running' | 'Stopped',
  restartedAt: string,
): ProgramMemory {
  const asked = memory.restartedAtSeen !== restartedAt;
  const cleared = desired === 'Stopped' || asked ? forgetFailures(memory) : memory;
  const started = desired === 'Running' ? { startRequested: true } : {};
  return { ...cleared, ...started, restartedAtSeen: restartedAt };
}
