import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { buildImage } from '../setup/images.ts';
import { type Bench, dockerfileOf, type Measurement } from './bench.ts';
import type { BenchHost, HostOptions } from './host-process.ts';
import { until } from './poll.ts';
import { type ProgramAnswer, untilSeen, untilState, writeManifest } from './programs.ts';
import { inTurn, type Row } from './stats.ts';
import { ask, clientAgent, evenly, gapMs } from './traffic.ts';

const SANDBOX_PORTS = '27270-27279';
const OFF_PORTS = '27280-27289';
const BASE_PORTS = '27290-27299';
const NAME = 'gap';
const GET_EVERY_MS = 5;
const CALM_MS = 1_000;
/** Against the build before there were sandboxes (`--base`). */
const RATIO_MAX = 0.4;

/** For how long a program's own port does not answer while it is restarted by a call, or gets another image. */
export const portGap: Measurement = {
  name: 'port-gap',
  async measure(bench) {
    const images = [await imageOf(bench, 'a'), await imageOf(bench, 'b')] as const;
    const start = async (kind: string, options: Pick<HostOptions, 'portRange' | 'flags' | 'checkout'>) => {
      const host = await bench.startHost({ instance: `${bench.name}-${kind}`, ...options });
      return createSide(host, images);
    };
    const on = await start('on', { portRange: SANDBOX_PORTS, flags: { sandbox: 'on' } });
    const off = await start('off', { portRange: OFF_PORTS });
    const base =
      bench.base === undefined
        ? undefined
        : await start('base', { portRange: BASE_PORTS, checkout: bench.base });
    const contestants: Record<string, (round: number) => Promise<number>> = {};
    for (const way of ['restart', 'rollout'] as const) {
      contestants[`on ${way}`] = on[way];
      contestants[`off ${way}`] = off[way];
      if (base !== undefined) contestants[`base ${way}`] = base[way];
    }
    const done = (round: number) => bench.say(`port-gap: round ${round + 1} of ${bench.rounds}`);
    return rowsOf(await inTurn(bench.rounds, contestants, done));
  },
};

function rowsOf(samples: Record<string, number[]>): Row[] {
  const what = { restart: 'restart call', rollout: 'image-only rollout' };
  return (['restart', 'rollout'] as const).flatMap((way): Row[] => {
    const row = (name: string, kind: string, bare: number[], against: string, max: number | null): Row => ({
      ...{ name: `${what[way]} → its port does not answer${name}`, unit: 'ms' },
      ...{ ours: samples[`${kind} ${way}`] ?? [], bare, against },
      limit: max === null ? null : { kind: 'at most', value: max },
    });
    const base = samples[`base ${way}`];
    const beside = row(', --sandbox on', 'on', samples[`off ${way}`] ?? [], '--sandbox off', null);
    if (base === undefined) return [beside];
    const old = 'the build of --base';
    return [row(', --sandbox on', 'on', base, old, RATIO_MAX), beside, row('', 'off', base, old, null)];
  });
}

/** One that differs in its id alone, and goes with the benchmark. */
async function imageOf(bench: Bench, variant: string): Promise<string> {
  const tag = `hersh-test/${bench.name}:${variant}`;
  const context = pack();
  context.entry({ name: 'Dockerfile' }, dockerfileOf(bench, variant));
  context.finalize();
  await buildImage(bench.docker, Readable.from(context), tag, () => {});
  return tag;
}

/** One host with one program; each gives the longest time without an answer. */
async function createSide(host: BenchHost, images: readonly [string, string]) {
  const specOf = (round: number) =>
    `{userId: bench, image: "${images[(round + 2) % 2 === 0 ? 0 : 1]}", resources: {memory: 128Mi}}`;
  await writeManifest(host.registry, NAME, specOf(0));
  await untilSeen(host, NAME);
  await untilState(host, NAME, 'Ready');
  let rollouts = 0;
  return {
    restart: () => gapDuring(host, () => host.client.json('POST', `/programs/${NAME}/restart`)),
    rollout: () => gapDuring(host, () => writeManifest(host.registry, NAME, specOf(++rollouts))),
  };
}

/** Until a container other than the one before is Ready; asked over a connection each. */
async function gapDuring(host: BenchHost, disturb: () => Promise<unknown>): Promise<number> {
  const { container_id: before, proxy_url: url } = await untilState(host, NAME, 'Ready');
  const agent = clientAgent();
  const target = `http://127.0.0.1:${new URL(url).port}/watcher/status`;
  let isOver = false;
  const [told] = await Promise.all([
    evenly(
      GET_EVERY_MS,
      () => isOver,
      () => ask(agent, 'GET', target, true),
    ),
    (async () => {
      await sleep(CALM_MS);
      await disturb();
      await until(`another container of ${NAME} is Ready`, async () => {
        const now = await host.client.json<ProgramAnswer>('GET', `/programs/${NAME}`);
        return now.state === 'Ready' && now.container_id !== before;
      });
      await sleep(CALM_MS);
    })().finally(() => {
      isOver = true;
    }),
  ]);
  await agent.close();
  return gapMs(told);
}
