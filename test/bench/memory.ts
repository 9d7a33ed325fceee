import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Measurement } from './bench.ts';
import { listingHost } from './listing-hosts.ts';
import { rssMb } from './process-usage.ts';
import { type Row, turned } from './stats.ts';

const SIZE = 1_000;
const MB_MAX = 90;
/** V8 gives back what a start left once it is quiet for a while. */
const CALM_MS = 100_000;
/** A round takes minutes, and the figures hardly differ. */
const ROUNDS_MAX = 3;

/** What a quiet host with 1,000 stopped programs holds, beside an older build (`--base`). */
export const memory: Measurement = {
  name: 'memory',
  async measure(bench) {
    const { base } = bench;
    const rounds = Math.min(ROUNDS_MAX, bench.rounds);
    const samples = { ours: [] as number[], bare: [] as number[] };
    const contestants = [
      async () => samples.ours.push(await quietMb(bench)),
      ...(base === undefined ? [] : [async () => samples.bare.push(await quietMb(bench, base))]),
    ];
    for (let round = 0; round < rounds; round++) {
      for (const contestant of turned(contestants, round)) await contestant();
      bench.say(`memory: round ${round + 1} of ${rounds}`);
    }
    const row = { name: `RSS at ${SIZE} programs`, unit: 'MB', ours: samples.ours } as const;
    const own: Row = { ...row, bare: [], against: '', limit: { kind: 'at most', value: MB_MAX } };
    const beside: Row = { ...row, bare: samples.bare, against: 'the build of --base', limit: null };
    return base === undefined ? [own] : [own, beside];
  },
};

async function quietMb(bench: Bench, checkout?: string): Promise<number> {
  const host = await listingHost(bench, 'mem', SIZE, checkout);
  try {
    await sleep(CALM_MS);
    return rssMb(host.pid);
  } finally {
    await host.stop();
  }
}
