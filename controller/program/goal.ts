import type { Problem } from '../../schemas/errors.ts';
import { type OfProgram, type ProgramMemory, withProgram } from '../../schemas/memory.ts';
import type { Program, ProgramSpec, Runtime } from '../../schemas/program.ts';
import { resolveSpec, underPolicy } from '../../schemas/resolve.ts';
import type { Goal } from '../../schemas/situation.ts';
import { digest } from '../../schemas/spec-hash.ts';
import { STATE_FROM } from '../../schemas/trashed-volume.ts';
import type { Asked, Wanted } from '../../schemas/wanted.ts';
import { forgetCrashes, forgetFailures } from './memory.ts';

export interface GoalResult {
  goal: Goal;
  memory: ProgramMemory;
  generation: number;
  problems: readonly Problem[];
  /** Why the manifest is not there while that is not believed, or `""`. */
  missing: string;
}

/** What is in force for a program: its manifest, or the last valid one while the file is broken or missing. Pure. */
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
  const inForce = program ? resolved(program, known, hostRuntime) : withAsked(known, entry?.asked);
  if (inForce === undefined) return { goal: { kind: 'hold' }, memory, generation, ...told };
  const { spec } = inForce;
  const goal: Goal = { kind: spec.desiredState === 'Running' ? 'run' : 'stop', spec };
  if (program === undefined && inForce === known) return { goal, memory, generation, ...told };
  const isOther = known === undefined || digest(known.spec) !== digest(spec);
  const isNew = isOther && program !== undefined;
  const next = withProgram(isNew ? forgetCrashes(memory) : memory, { inForce });
  if (isFetchedAnew(known, inForce)) delete next.failedImage;
  // Data belongs to the user who made it; another one, also of a name not yet quite deleted, begins anew.
  if (known !== undefined && known.spec.userId !== spec.userId) {
    delete next.program.volume;
    delete next.program.hasState;
  }
  return { goal, memory: forgetWhereAsked(next, spec), generation: generation + Number(isOther), ...told };
}

type InForce = OfProgram['inForce'];

/**
 * Whether an image, or what it is built on, may be had now where it was not before, or the other way round: another
 * user has another login. What came of it, or is still under way, is no answer to this wish.
 */
export function isFetchedAnew(known: InForce, wanted: InForce): boolean {
  if (known === undefined || wanted === undefined) return false;
  const { userId, pullPolicy } = known.spec;
  return userId !== wanted.spec.userId || pullPolicy !== wanted.spec.pullPolicy;
}

/** A spec that nobody changed keeps its defaults, so that a newer host never replaces a running fleet. */
function resolved({ rawSpec, labels, annotations }: Program, known: InForce, hostRuntime: Runtime): InForce {
  const stateFrom = annotations[STATE_FROM];
  const rawHash = digest({ raw: rawSpec, runtime: rawSpec.runtime ?? hostRuntime });
  const spec = known?.rawHash === rawHash ? known.spec : resolveSpec(rawSpec, hostRuntime);
  return { rawHash, rawSpec, spec, labels, ...(stateFrom && { stateFrom }) };
}

/** The last valid spec with what a call asked for since the manifest is not valid; the next valid one replaces both. */
function withAsked(inForce: InForce, asked: Asked = {}): InForce {
  if (inForce === undefined) return undefined;
  const spec = { ...inForce.spec, ...asked };
  return digest(spec) === digest(inForce.spec) ? inForce : { ...inForce, rawHash: '', spec };
}

/** What may come back, or stays in force, does so under what the host allows now. */
function allowed(memory: ProgramMemory, hostRuntime: Runtime): ProgramMemory {
  const { rollout, program } = memory;
  const policed = <T extends { spec: ProgramSpec }>(of: T): T => {
    return { ...of, spec: underPolicy(of.spec, hostRuntime) };
  };
  const known = program.inForce ? withProgram(memory, { inForce: policed(program.inForce) }) : memory;
  return rollout.good ? { ...known, rollout: { ...rollout, good: policed(rollout.good) } } : known;
}

/** A stop, or a `restartedAt` not seen before, clears back-off, failed builds and rolled-back revisions. */
function forgetWhereAsked(memory: ProgramMemory, { desiredState, restartedAt }: ProgramSpec): ProgramMemory {
  const isStop = desiredState === 'Stopped';
  const isAsked = isStop || memory.program.restartedAtSeen !== restartedAt;
  const seen = { startRequested: memory.program.startRequested || !isStop, restartedAtSeen: restartedAt };
  return withProgram(isAsked ? forgetFailures(memory) : memory, seen);
}
