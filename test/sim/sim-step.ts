import type { SimStage } from './sim-stage.ts';

/** One thing that can happen. */
export interface SimStep {
  weight: number;
  /** @returns what was done, for the story of a failed run; `""` where it was not possible just now */
  act(stage: SimStage): Promise<string> | string;
}
