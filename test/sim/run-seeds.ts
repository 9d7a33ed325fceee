import { writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { masked } from '../../controller/trace/mask.ts';
import type { SimSetup } from './sim-stage.ts';
import { type SimOutcome, simulate } from './simulation.ts';

/** The last passes of a story that failed. */
const PASSES_KEPT = 2_000;
/** Steps of a story, where no number is given. */
export const DEFAULT_STEPS = 40;

/**
 * Plays a story for each seed, and prints those that fail with the command that plays them again.
 * @param tellAll prints those that go well too
 * @returns how many failed
 */
export async function runSeeds(
  seeds: readonly number[],
  steps: number,
  print: (line: string) => void,
  { tellAll = false, ...setup }: SimSetup & { tellAll?: boolean } = {},
): Promise<number> {
  let failed = 0;
  let current = 0;
  const onStray = (error: unknown): void => {
    const what = error instanceof Error ? error.stack : String(error);
    // At once, since the process ends here.
    writeSync(1, `seed ${current} failed: ${what}\n${command(current, steps, setup)}\n`);
    process.exit(1);
  };
  process.on('uncaughtException', onStray);
  process.on('unhandledRejection', onStray);
  for (const seed of seeds) {
    current = seed;
    const outcome = await simulate(seed, steps, undefined, setup);
    if (outcome.failure !== '') failed += 1;
    if (outcome.failure !== '' || tellAll) print(report(outcome, steps, setup));
    if (outcome.failure !== '') print(`npm run replay -- ${await passesOf(seed, steps, setup)}`);
  }
  process.off('uncaughtException', onStray);
  process.off('unhandledRejection', onStray);
  if (seeds.length > 1) print(`${seeds.length} seeds of ${steps} steps, ${failed} failed`);
  return failed;
}

/** Plays the story again, the same as before, and writes down what its hosts saw and decided. @returns the file */
export async function passesOf(seed: number, steps: number, setup: SimSetup = {}): Promise<string> {
  const passes: string[] = [];
  await simulate(seed, steps, (pass) => passes.push(JSON.stringify({ pass: masked(pass) })), setup);
  const path = join(tmpdir(), `hersh-sim-${seed}.ndjson`);
  await writeFile(path, `${passes.slice(-PASSES_KEPT).join('\n')}\n`);
  return path;
}

export function report(
  { seed, story, digest, failure }: SimOutcome,
  steps: number,
  setup: SimSetup = {},
): string {
  const end = failure === '' ? `seed ${seed} went well (${digest})` : `seed ${seed} failed: ${failure}`;
  return `${story.join('\n')}\n${end}\n${command(seed, steps, setup)}`;
}

function command(seed: number, steps: number, { sandboxed, spares }: SimSetup): string {
  const more = `${sandboxed ? ' --sandbox on' : ''}${spares === undefined ? '' : ` --spares ${spares}`}`;
  return `npm run sim -- --seed ${seed} --steps ${steps}${more}`;
}
