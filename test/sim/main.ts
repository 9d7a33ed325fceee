import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KEPT_SEEDS } from './kept-seeds.ts';
import { DEFAULT_STEPS, runSeeds } from './run-seeds.ts';
import type { SimSetup } from './sim-stage.ts';

const USAGE = `npm run sim -- --seed N [--steps N]   one story, told
npm run sim -- --seeds A-B [--steps N] many
npm run sim -- --forever [--steps N]   other seeds each time, until stopped; failing ones are printed
npm run sim -- --kept                   those that once found something
--sandbox on [--spares N]               programs have network sandboxes, to which something happens too
`;

/** Tells a process that it is the one that works. */
const WORKER = 'HERSH_SIM_WORKER';

if (process.env[WORKER] === undefined) again();
else await main();

/**
 * Runs this file again with one thread for file work: what is asked of the disk is then done in the order it was
 * asked for, which makes a run the same every time.
 */
function again(): void {
  const child = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    { stdio: 'inherit', env: { ...process.env, [WORKER]: '1', UV_THREADPOOL_SIZE: '1' } },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      steps: { type: 'string' },
      sandbox: { type: 'string' },
      kept: { type: 'boolean' },
      spares: { type: 'string' },
      forever: { type: 'boolean' },
    },
  });
  const steps = Number(values.steps ?? DEFAULT_STEPS);
  const setup: SimSetup = {
    sandboxed: values.sandbox === 'on',
    ...(values.spares !== undefined && { spares: Number(values.spares) }),
  };
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  if (values.kept) {
    process.exitCode = (await runKept(print)) > 0 ? 1 : 0;
    return;
  }
  if (values.forever) {
    // The one place where chance is real: it is printed.
    for (let seed = Math.floor(Math.random() * 2 ** 31); ; seed = (seed + 1) % 2 ** 31)
      await runSeeds([seed], steps, print, setup);
  }
  const [from, to] = (values.seeds ?? `${values.seed}-${values.seed}`).split('-').map(Number);
  if (from === undefined || to === undefined || Number.isNaN(from + to + steps)) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const seeds = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const failed = await runSeeds(seeds, steps, print, { tellAll: values.seed !== undefined, ...setup });
  process.exitCode = failed > 0 ? 1 : 0;
}

/** @returns how many failed */
async function runKept(print: (line: string) => void): Promise<number> {
  let failed = 0;
  for (const { seed, steps, found } of KEPT_SEEDS) {
    // Before it: where it ends the process, that is the last line.
    print(`seed ${seed} once found: ${found}`);
    failed += await runSeeds([seed], steps, print);
  }
  print(`${KEPT_SEEDS.length} kept seeds, ${failed} failed`);
  return failed;
}
