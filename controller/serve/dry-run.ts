import type { DryRun } from '../../api/program-answers.ts';
import type { Registry } from '../../registry/registry.ts';
import { diffSpecs } from '../../schemas/differences.ts';
import { AppError } from '../../schemas/errors.ts';
import { describePaused } from '../../schemas/pause.ts';
import { isUpState, type Runtime } from '../../schemas/program.ts';
import { resolveSpec } from '../../schemas/resolve.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { describeChange } from './change.ts';
import { mustBeNamed, validProgram } from './manifest-text.ts';

/**
 * What a manifest would change, against what is in force. Throws `InvalidManifest`, and `Conflict` over its name.
 * @param sees whether who asks may know of a program of that user
 */
export function dryRun(
  deps: { registry: Registry; runtime: Runtime },
  name: string,
  text: string,
  sees: (userId: string) => boolean = () => true,
): DryRun {
  const { registry, runtime } = deps;
  const parsed = registry.parse(name, text);
  mustBeNamed(name, parsed);
  const clash = registry.clashOf(name);
  if (clash !== undefined)
    throw new AppError('Conflict', `${clash} exists already, and differs by case only`);
  const program = validProgram(parsed);
  const ledger = registry.status.get(name);
  const isSeen = usersOf(ledger).every(sees);
  // Of one that is deleted, and not all gone, nothing is in force for the next of its name.
  const isGone = registry.get(name) === undefined && registry.wanted(name).kind === 'gone';
  const status = isSeen && !isGone ? ledger : undefined;
  const inForce = status?.memory.program.inForce;
  const before = inForce?.spec;
  const after = resolveSpec(program.rawSpec, runtime);
  const diff = [
    ...diffSpecs(inForce?.labels, program.labels, 'metadata.labels'),
    ...diffSpecs(before, after),
  ];
  const actions = describeChange(before, after, {
    isUp: status !== undefined && isUpState(status.state),
    isKept: status !== undefined && status.containerId !== '',
  });
  const paused = registry.pauses.of(name);
  const why = paused && (isSeen || paused.of === 'host') ? `: ${describePaused(paused)}` : '';
  const held = paused === undefined ? [] : [`nothing before it is resumed${why}`];
  return { changed: diff.length > 0, diff, actions: diff.length > 0 ? [...held, ...actions] : [] };
}

/** Whose a program is that has this ledger, or was: those of the look before and of what is in force. */
function usersOf(status: ProgramStatus | undefined): string[] {
  const users = [status?.userId, status?.memory.program.inForce?.spec.userId];
  return users.flatMap((one) => one || []);
}
