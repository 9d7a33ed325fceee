/** `npm run bench [-- --out FILE] [--only NAME] [--rounds N] [--base CHECKOUT]`: prepares the machine, measures, judges. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type Docker from 'dockerode';
import { onStopSignals } from '../../controller/stop-signals.ts';
import { systemClock } from '../../schemas/clock.ts';
import { ensureEngine } from '../setup/engine.ts';
import { makeSay, reportAndExit, SetupError } from '../setup/say.ts';
import { ensureTestImage } from '../setup/test-image.ts';
import { type Bench, createBench, type Measurement } from './bench.ts';
import { buildReuse } from './build-reuse.ts';
import { crashLoops } from './crash-loops.ts';
import { crashRecovery } from './crash-recovery.ts';
import { fleetStart } from './fleet-start.ts';
import { hostStart } from './host-start.ts';
import { requestRate } from './request-rate.ts';
import { rolloutGap } from './rollout-gap.ts';
import { scale } from './scale.ts';
import { startLatency } from './start-latency.ts';
import { judge, type Row } from './stats.ts';
import { tableLines } from './table.ts';

const MEASUREMENTS: readonly Measurement[] = [
  startLatency,
  buildReuse,
  requestRate,
  rolloutGap,
  crashRecovery,
  crashLoops,
  fleetStart,
  hostStart,
  scale,
];
/** A median of fewer says little (issue: medians of at least 10). */
const ROUNDS = 11;

interface Options {
  /** Where the JSON goes; `""`: nowhere. */
  out: string;
  chosen: readonly Measurement[];
  rounds: number;
  /** See `Bench`. */
  base?: string;
}

try {
  process.exitCode = await main(optionsOf(process.argv.slice(2)));
} catch (error) {
  reportAndExit(error);
}

async function main({ out, chosen, rounds, base }: Options): Promise<number> {
  const say = makeSay();
  const docker = await ensureEngine(say);
  const bench = createBench({
    ...{ docker, say, rounds, image: await ensureTestImage(say, docker) },
    ...(base !== undefined && { base }),
  });
  closeOnSignal(bench);
  const rows: Row[] = [];
  try {
    for (const measurement of chosen) {
      say(`Measuring ${measurement.name}, ${rounds} rounds`);
      rows.push(...(await bench.run(measurement)));
    }
  } finally {
    say('Cleaning up');
    await bench.close();
  }
  console.log(
    `\n${tableLines(rows).join('\n')}\n\nMedians of ${rounds} rounds; the ratio is the median of each round's own.`,
  );
  if (rounds < 10) console.log('Fewer than 10 rounds: good for a look, not for a verdict.');
  if (out !== '') writeFileSync(out, `${JSON.stringify(await reportOf(docker, rounds, rows), null, 2)}\n`);
  return rows.every((row) => judge(row).ok) ? 0 : 1;
}

function optionsOf(argv: string[]): Options {
  const string = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: argv,
      options: { out: string, only: string, rounds: string, base: string },
    });
    const { out = '', only, rounds = String(ROUNDS), base } = values;
    const chosen = MEASUREMENTS.filter(({ name }) => only === undefined || name === only);
    if (chosen.length === 0) {
      throw new Error(`--only takes one of ${MEASUREMENTS.map(({ name }) => name).join(', ')}`);
    }
    if (!/^[1-9]\d{0,3}$/.test(rounds)) throw new Error('--rounds takes a number from 1 to 9999');
    return { out, chosen, rounds: Number(rounds), ...(base !== undefined && { base: resolve(base) }) };
  } catch (error) {
    return reportAndExit(new SetupError((error as Error).message));
  }
}

/** Everything a reader needs to doubt the figures: raw samples, and what they were measured on. */
async function reportOf(docker: Docker, rounds: number, rows: readonly Row[]): Promise<object> {
  const { Version, ApiVersion, KernelVersion } = await docker.version();
  return {
    measuredAt: new Date().toISOString(),
    machine: { cores: availableParallelism(), node: process.version, kernel: KernelVersion },
    engine: { version: Version, apiVersion: ApiVersion },
    rounds,
    rows: rows.map((row) => ({ ...row, ...medians(row) })),
  };
}

function medians(row: Row): object {
  const { ours, bare, ratio, ok } = judge(row);
  return { samples: { ours: row.ours, bare: row.bare }, ours, bare, ratio, ok };
}

/** Whatever was made is removed on the way out; a second signal does not wait for that. */
function closeOnSignal(bench: Bench): void {
  const leave = (): never => process.exit(130);
  const first = (): void => {
    bench.say('Cleaning up, once more to leave at once');
    void bench.close().finally(leave);
  };
  onStopSignals(process, systemClock, first, leave);
}
