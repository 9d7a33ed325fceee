import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Measurement } from './bench.ts';
import { type EngineEvents, openEngineEvents } from './engine-events.ts';
import { fleetNames, removeFleet, untilAll, writeFleet } from './fleet.ts';
import { healNewProgram } from './healing.ts';
import type { BenchHost } from './host-process.ts';

const LOOPERS = 100;
const HOST_PORTS = '28900-29049';
const CALM_MS = 200;
/** Restarts after which loops still crash as often as the engine lets them, and after which each waits a minute. */
const PHASES = { young: 2, old: 7 } as const;

/**
 * A healthy program heals as fast beside 100 that crash again and again as alone. In blocks, since the loops are
 * not made and ended in a moment: half of the rounds alone, all beside the loops while they are young and again
 * when they are old, the other half alone.
 */
export const crashLoops: Measurement = {
  name: 'crash-loops',
  async measure(bench) {
    const host = await bench.startHost({ instance: `${bench.name}-loops`, portRange: HOST_PORTS });
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    const half = Math.ceil(bench.rounds / 2);
    // One unseen, so that nobody is measured cold.
    await heal(bench, host, events, 'cold', 1);
    const before = await heal(bench, host, events, 'before', half);

    const loopers = fleetNames(`${bench.name}-looper`, LOOPERS);
    await writeFleet(bench, host.registry, loopers, '{EXIT: "1"}');
    const beside = { young: [] as number[], old: [] as number[] };
    for (const phase of ['young', 'old'] as const) {
      const restarts = PHASES[phase];
      const what = `were restarted ${restarts} times`;
      await untilAll(host, what, LOOPERS, (one) => one.restart_count >= restarts);
      beside[phase] = await heal(bench, host, events, phase, bench.rounds);
    }
    await removeFleet(host, events, loopers);

    const after = await heal(bench, host, events, 'after', bench.rounds - half);
    return (['young', 'old'] as const).map((phase) => ({
      name: `crash → answers again, beside ${LOOPERS} ${phase} crash loops`,
      unit: 'ms',
      ours: beside[phase],
      bare: [...before, ...after],
      against: 'the same alone, in blocks',
      limit: { kind: 'at most', value: 1.5 },
    }));
  },
};

async function heal(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
  when: string,
  rounds: number,
): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    samples.push(await healNewProgram(bench, host, events, `${bench.name}-${when}-${round + 1}`));
    await sleep(CALM_MS);
  }
  bench.say(`crash-loops: ${when}, ${rounds} rounds: ${samples.map(Math.round).join(' ')} ms`);
  return samples;
}
