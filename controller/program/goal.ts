import type { Problem } from '../../schemas/errors.ts';
import type { OfProgram, ProgramMemory } from '../../schemas/memory.ts';
import type { ProgramSpec, Runtime } from '../../schemas/program.ts';
import { resolveSpec, underPolicy } from '../../schemas/resolve.ts';
import { digest } from '../../schemas/spec-hash.ts';
import type { Asked, Wanted } from '../../schemas/wanted.ts';
import { forgetCrashes, forgetFailures, withProgram } from './memory.ts';
import type { Goal } from './situation.ts';

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
  const { deletion = { commit: '' }, inForce: known } = memory.program;
  const isBroken = wanted.kind === 'present' && wanted.entry.program === undefined;
  if (wanted.kind === 'gone' || (isBroken && memory.program.deletion !== undefined)) {
    const leaving = withProgram(memory, { deletion });
    return { goal: { kind: 'remove' }, memory: leaving, generation, problems: [], missing: '' };
  }
  const entry = wanted.kind === 'present' ? wanted.entry : undefined;
  const why = wanted.kind === 'unknown' ? (wanted.why ?? 'the manifest is missing') : '';
  const missing = why === '' ? '' : `${why}; the last valid one stays in force`;
  const told = { problems: entry?.problems ?? [], missing };
  const program = entry?.program;
  if (program === undefined) {
    const inForce = withAsked(known, entry?.asked);
    if (inForce === undefined) return { goal: { kind: 'hold' }, memory, generation, ...told };
    const goal = kindOf(inForce.spec);
    if (inForce === known) return { goal, memory, generation, ...told };
    const next = forgetWhereAsked(withProgram(memory, { inForce }), inForce.spec);
    return { goal, memory: next, generation: generation + 1, ...told };
  }
  const { rawSpec, labels } = program;
  const rawHash = digest({ raw: rawSpec, runtime: rawSpec.runtime ?? hostRuntime });
  const spec = known?.rawHash === rawHash ? known.spec : resolveSpec(rawSpec, hostRuntime);
  const changed = known === undefined || digest(known.spec) !== digest(spec);
  const next = withProgram(changed ? forgetCrashes(memory) : memory, {
    inForce: { rawHash, rawSpec, spec, labels },
  });
  // Data belongs to the user who made it; another one, also of a name not yet quite deleted, begins anew.
  if (known !== undefined && known.spec.userId !== spec.userId) delete next.program.volume;
  return {
    goal: kindOf(spec),
    memory: forgetWhereAsked(next, spec),
    generation: changed ? generation + 1 : generation,
    ...told,
  };
}

/** The last valid spec with what a call asked for since the manifest is not valid; the next valid one replaces both. */
function withAsked(inForce: OfProgram['inForce'], asked: Asked = {}): OfProgram['inForce'] {
  if (inForce === undefined) return undefined;
  const spec = { ...inForce.spec, ...asked };
  return digest(spec) === digest(inForce.spec) ? inForce : { ...inForce, rawHash: '', spec };
}

/** What may come back, or stays in force, does so under what the host allows now. */
function allowed(memory: ProgramMemory, hostRuntime: Runtime): ProgramMemory {
  const { rollout, program } = memory;
  const { inForce } = program;
  const policed = <T extends { spec: ProgramSpec }>(of: T): T => ({
    ...of,
    spec: underPolicy(of.spec, hostRuntime),
  });
  return {
    ...memory,
    program: { ...program, ...(inForce && { inForce: policed(inForce) }) },
    rollout: rollout.good === undefined ? rollout : { ...rollout, good: policed(rollout.good) },
  };
}

function kindOf(spec: ProgramSpec): Goal {
  return { kind: spec.desiredState === 'Running' ? 'run' : 'stop', spec };
}

/** A stop, or a `restartedAt` not seen before, clears back-off, failed builds and rolled-back revisions. */
function forgetWhereAsked(memory: ProgramMemory, { desiredState, restartedAt }: ProgramSpec): ProgramMemory {
  const isStop = desiredState === 'Stopped';
  const isAsked = isStop || memory.program.restartedAtSeen !== restartedAt;
  const startRequested = memory.program.startRequested || !isStop;
  return withProgram(isAsked ? forgetFailures(memory) : memory, {
    startRequested,
    restartedAtSeen: restartedAt,
  });
}
