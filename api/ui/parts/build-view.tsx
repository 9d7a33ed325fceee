import type { Build } from '../../../schemas/build-step.ts';

/** The steps of a build as a waterfall. */
export function BuildView({ build }: { build: Build }) {
  return <ol class="build">{build.steps.length}</ol>;
}
