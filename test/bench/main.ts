/**
 * `npm run bench [-- --out FILE] [--only NAME,NAME] [--rounds N] [--base CHECKOUT] [--on ENGINE]`: prepares the machine,
 * measures, judges. How much of everything: `--programs`, `--manifests`, `--minutes`, `--gigabytes`.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type Docker from 'dockerode';
import { onStopSignals } from '../../controller/stop-signals.ts';
import { systemClock } from '../../schemas/clock.ts';
import { ensureEngine } from '../setup/engine.ts';
import { makeSay, reportAndExit, SetupError } from '../setup/say.ts';
import { ensureTestImage } from '../setup/test-image.ts';
import { baseRate } from './base-rate.ts';
import { type Bench, createBench, type Measurement } from './bench.ts';
import { buildReuse } from './build-reuse.ts';
import { crashLoops } from './crash-loops.ts';
import { crashRecovery } from './crash-recovery.ts';
import { firstAnswer } from './first-answer.ts';
import { fleetStart } from './fleet-start.ts';
import { fromGit } from './from-git/from-git.ts';
import { hostStart } from './host-start.ts';
import { idleCost } from './idle-cost.ts';
import { idleWebSockets } from './idle-websockets.ts';
import { large } from './large/large.ts';
import { machineBack } from './machine-back.ts';
import { memory } from './memory.ts';
import { measureOn } from './on-engine.ts';
import { type Options, readOptions } from './options.ts';
import { portGap } from './port-gap.ts';
import { postSources } from './post-sources.ts';
import { proxyBodies } from './proxy-bodies.ts';
import { requestRate } from './request-rate.ts';
import { rolloutGap } from './rollout-gap.ts';
import { scale } from './scale.ts';
import { settle } from './settle.ts';
import { stalls } from './stalls.ts';
import { startLatency } from './start-latency.ts';
import { judge, type Row } from './stats.ts';
import { tableLines } from './table.ts';

const MEASUREMENTS: readonly Measurement[] = [
  startLatency,
  firstAnswer,
  settle,
  buildReuse,
  requestRate,
  baseRate,
  proxyBodies,
  idleWebSockets,
  rolloutGap,
  portGap,
  crashRecovery,
  crashLoops,
  fleetStart,
  hostStart,
  machineBack,
  memory,
  postSources,
  scale,
  stalls,
  idleCost,
  large,
  fromGit,
];

try {
  process.exitCode = await main(optionsOf(process.argv.slice(2)));
} catch (error) {
  reportAndExit(error);
}

async function main(options: Options): Promise<number> {
  const { out, chosen, rounds, base, pictures, sandbox, sizes, on, argv } = options;
  const say = makeSay();
  if (on !== undefined) return measureOn(say, on, argv);
  const docker = await ensureEngine(say);
  const { Version: version } = await docker.version();
  const bench = createBench({
    ...{ docker, say, rounds, sizes, version, image: await ensureTestImage(say, docker) },
    ...(base !== undefined && { base }),
    ...(pictures !== undefined && { pictures }),
    ...(sandbox !== undefined && { sandbox }),
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
  if (out !== '') writeFileSync(out, `${JSON.stringify(await reportOf(docker, options, rows), null, 2)}\n`);
  return rows.every((row) => judge(row).ok) ? 0 : 1;
}

function optionsOf(argv: string[]): Options {
  try {
    return readOptions(argv, MEASUREMENTS);
  } catch (error) {
    return reportAndExit(new SetupError((error as Error).message));
  }
}

/** Everything a reader needs to doubt the figures: raw samples, and what they were measured on. */
async function reportOf(docker: Docker, { rounds, sizes }: Options, rows: readonly Row[]): Promise<object> {
  const { Version, ApiVersion, KernelVersion } = await docker.version();
  return {
    measuredAt: new Date().toISOString(),
    machine: { cores: availableParallelism(), node: process.version, kernel: KernelVersion },
    engine: { version: Version, apiVersion: ApiVersion },
    rounds,
    sizes,
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
