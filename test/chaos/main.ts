/** `npm run chaos -- --minutes N [--seed N]`: a real host and engine under faults. Exit code 1 when it did not heal. */
import { parseArgs } from 'node:util';
import { onStopSignals } from '../../controller/stop-signals.ts';
import { systemClock } from '../../schemas/clock.ts';
import { ensureEngine } from '../setup/engine.ts';
import { makeSay, reportAndExit, SetupError } from '../setup/say.ts';
import { runChaos } from './chaos.ts';

const PROGRAMS = 20;
/** Ports of a second engine are its own: nobody else is in there. */
const PORTS = '29800-29899';
const USAGE = 'npm run chaos -- --minutes N [--seed N] [--programs N]';

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  reportAndExit(error);
}

async function main(argv: string[]): Promise<number> {
  const options = {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    programs: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args: argv, options });
  const minutes = Number(values.minutes ?? 1);
  // The one place where chance is real: it is printed.
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const programs = Number(values.programs ?? PROGRAMS);
  if (!(minutes > 0 && Number.isInteger(seed) && programs >= 1)) throw new SetupError(`Usage: ${USAGE}`);
  const say = makeSay();
  await ensureEngine(say);
  const stop = new AbortController();
  onStopSignals(
    process,
    systemClock,
    () => stop.abort(),
    () => process.exit(130),
  );
  const { signal } = stop;
  const report = await runChaos({ seed, ms: minutes * 60_000, programs, ports: PORTS, say, signal });
  for (const [kind, count] of [...report.counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(count).padStart(6)}  ${kind}`);
  const files = report.forgotten.filter((what) => what.startsWith('/'));
  const others = report.forgotten.filter((what) => !files.includes(what));
  for (const what of [...others, `${files.length} files of namespaces`])
    console.log(`The killed engine had forgotten ${what}`);
  const steps = [...report.counts.values()].reduce((sum, count) => sum + count, 0);
  if (report.wrong.length === 0) {
    console.log(
      `Converged ${(report.convergedMs / 1000).toFixed(1)} s after ${steps} edits and faults (seed ${seed})`,
    );
    return 0;
  }
  console.log(`NOT AS THE MANIFESTS WANT IT, after ${steps} edits and faults:`);
  for (const line of report.wrong) console.log(`  ${line}`);
  console.log(`Again: npm run chaos -- --minutes ${minutes} --seed ${seed} --programs ${programs}`);
  return 1;
}
