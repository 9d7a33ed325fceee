import { describeContainers } from './contract-containers.ts';
import { describeExec } from './contract-exec.ts';
import { describeHeld } from './contract-held.ts';
import { describeImages } from './contract-images.ts';
import { type ContractWorld, createKit } from './contract-kit.ts';
import { describeOutput } from './contract-output.ts';
import { describeOwnership } from './contract-ownership.ts';
import { describeSandboxes } from './contract-sandboxes.ts';
import { describeSpares } from './contract-spares.ts';
import { describeVolumeContent } from './contract-volume-content.ts';

/**
 * The promises of the engine port, for whichever engine `world` gives: one suite for all, so that a simulated
 * engine can not drift from the real one. The world is there before the first test.
 */
export function describeEngine(name: string, world: () => ContractWorld): void {
  const kit = createKit(world);
  describeContainers(name, kit);
  describeOwnership(name, kit);
  describeSandboxes(name, kit);
  describeSpares(name, kit);
  describeOutput(name, kit);
  describeExec(name, kit);
  describeImages(name, kit);
  describeHeld(name, kit);
  describeVolumeContent(name, kit);
}
