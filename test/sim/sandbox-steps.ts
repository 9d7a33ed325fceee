import { hitSandbox } from './engine-sandboxes.ts';
import type { Random } from './random.ts';
import type { SimStage } from './sim-stage.ts';

const DOINGS = {
  'is killed': ['kill'],
  'is restarted': ['kill', 'start'],
  'is paused': ['pause'],
  'is disconnected': ['disconnect'],
} as const;

/** Somebody ends, removes, pauses, disconnects or restarts a sandbox. Gives what was done, `""` where nothing was. */
export function meddleWithSandboxes(stage: SimStage, random: Random): string {
  const { world } = stage;
  const { sandboxes } = world;
  const sandbox = random.any([...sandboxes.all.values()]);
  if (sandbox === undefined || world.isAway) return '';
  const { id, name, state } = sandbox.facts;
  const what = random.pick([
    'is killed',
    'is removed',
    'is paused',
    'is disconnected',
    'is restarted',
  ] as const);
  const isUp = state === 'running' || state === 'paused';
  if (what !== 'is removed' && what !== 'is disconnected' && !isUp) return '';
  // What joins it has lost its network, which is nobody's crash.
  for (const one of stage.containers())
    if (one.facts.sandbox?.id === id) stage.meddled.set(one.facts.id, stage.clock.monotonic());
  stage.meddle(() => {
    if (what === 'is removed') return sandboxes.remove(id);
    for (const how of DOINGS[what]) hitSandbox(sandboxes, sandbox, how);
  });
  return `${name} ${what}`;
}
