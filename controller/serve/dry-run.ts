import type { DryRun } from '../../api/program-answers.ts';
import type { Registry } from '../../registry/registry.ts';
import { diffSpecs } from '../../schemas/differences.ts';
import { AppError } from '../../schemas/errors.ts';
import { describePaused } from '../../schemas/pause.ts';
import { isUpState, type Runtime } from '../../schemas/program.ts';
import { resolveSpec } from '../../schemas/resolve.ts';
import { describeChange } from './change.ts';
import { mustBeNamed, validProgram } from './manifest-text.ts';

/** What a manifest would change, against what is in force. Throws `InvalidManifest`, and `Conflict` over its name. */
export function dryRun(deps: { registry: Registry; runtime: Runtime }, name: string, text: string): DryRun {
  const { registry, runtime } = deps;
  const parsed = registry.parse(name, text);
  mustBeNamed(name, parsed);
  const clash = registry.clashOf(name);
  if (clash !== undefined)
    throw new AppError('Conflict', `${clash} exists already, and differs by case only`);
  const program = validProgram(parsed);
  const status = registry.status.get(name);
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
  const held = paused === undefined ? [] : [`nothing before it is resumed: ${describePaused(paused)}`];
  return { changed: diff.length > 0, diff, actions: diff.length > 0 ? [...held, ...actions] : [] };
}
