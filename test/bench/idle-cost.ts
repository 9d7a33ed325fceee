import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { LABELS } from '../../schemas/program.ts';
import type { Bench, Measurement } from './bench.ts';
import { fleetNames, untilAll, writeFleet } from './fleet.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';
import { rssMb } from './process-usage.ts';
import { cpuBetween, cpuMsOf, type EngineProcesses, processLines, pssMb, sortProcesses } from './shims.ts';
import { beyond, type Row, turned } from './stats.ts';

const SIZE = 200;
const HOST_PORTS = '26500-26999';
/** Starts have left nothing to do by then. */
const CALM_MS = 30_000;
const IDLE_MS = 60_000;
/** A round makes and removes hundreds of containers, twice. */
const ROUNDS_MAX = 3;
/** What sandboxes may cost to be on by default: a tenth of a core, and 2 GB. */
const CPU_BEYOND_MAX = 100;
const MEMORY_BEYOND_MAX = 2_048;

type Sandbox = 'on' | 'off';

/** CPU in milliseconds a second, memory in MB. */
interface Cost {
  host: number;
  daemons: number;
  shims: number;
  proxies: number;
  rss: number;
  shimMb: number;
  proxyMb: number;
}

/** What N programs (200, or `--programs`) cost while nothing happens but their probes, with sandboxes and without. */
export const idleCost: Measurement = {
  name: 'idle-cost',
  onlyByName: true,
  async measure(bench) {
    const size = bench.sizes.programs ?? SIZE;
    const costs: Record<Sandbox, Cost[]> = { on: [], off: [] };
    const rounds = Math.min(ROUNDS_MAX, bench.rounds);
    for (let round = 0; round < rounds; round++) {
      for (const sandbox of turned(['on', 'off'] as const, round))
        costs[sandbox].push(await costOf(bench, size, sandbox, round));
      bench.say(`idle-cost: round ${round + 1} of ${rounds}`);
    }
    return rowsOf(size, costs);
  },
};

function rowsOf(size: number, { on, off }: Record<Sandbox, Cost[]>): Row[] {
  const row = (what: string, unit: Row['unit'], of: (cost: Cost) => number): Row => ({
    ...{ name: `${size} idle programs, --sandbox on: ${what}`, unit },
    ...{ ours: on.map(of), bare: off.map(of), against: '--sandbox off', limit: null },
  });
  const cpu = ({ host, daemons, shims, proxies }: Cost) => host + daemons + shims + proxies;
  const mb = ({ rss, shimMb, proxyMb }: Cost) => rss + shimMb + proxyMb;
  const more = (what: string, unit: Row['unit'], of: (cost: Cost) => number, max: number): Row => ({
    ...{ name: `${size} idle programs: ${what} beyond --sandbox off`, unit, bare: [], against: '' },
    ...{ ours: beyond(on.map(of), off.map(of)), limit: { kind: 'at most', value: max } },
  });
  return [
    more('CPU', 'ms/s', cpu, CPU_BEYOND_MAX),
    more('memory', 'MB', mb, MEMORY_BEYOND_MAX),
    row('CPU of host, daemons, shims and proxies', 'ms/s', cpu),
    row('CPU of the host', 'ms/s', ({ host }) => host),
    row('CPU of dockerd and containerd', 'ms/s', ({ daemons }) => daemons),
    row('CPU of shims', 'ms/s', ({ shims }) => shims),
    row('PSS of shims', 'MB', ({ shimMb }) => shimMb),
    row('PSS of docker-proxy', 'MB', ({ proxyMb }) => proxyMb),
    row('RSS of the host', 'MB', ({ rss }) => rss),
  ];
}

async function costOf(bench: Bench, size: number, sandbox: Sandbox, round: number): Promise<Cost> {
  const instance = `${bench.name}-${sandbox}-${round}`;
  const host = await bench.startHost({
    ...{ instance, portRange: HOST_PORTS, flags: { sandbox, spares: '0' } },
  });
  const names = fleetNames(instance, size);
  await writeFleet(bench, host.registry, names);
  await untilAll(host, 'get Ready', size, ({ state }) => state === 'Ready');
  await sleep(CALM_MS);
  const cost = await measureCost(host, await processesOf(bench.docker, instance));
  for (const name of names) await host.client.json('DELETE', `/programs/${name}`);
  await untilNone(bench.docker, instance);
  await host.stop();
  return cost;
}

async function measureCost(host: BenchHost, { daemons, shims, proxies }: EngineProcesses): Promise<Cost> {
  const cpu = () => ({
    ...{ host: cpuMsOf([host.pid]), daemons: cpuMsOf(daemons) },
    ...{ shims: cpuMsOf(shims), proxies: cpuMsOf(proxies) },
  });
  const before = cpu();
  await sleep(IDLE_MS);
  const after = cpu();
  const rate = (key: keyof typeof before) => cpuBetween(before[key], after[key]) / (IDLE_MS / 1000);
  return {
    ...{ host: rate('host'), daemons: rate('daemons'), shims: rate('shims'), proxies: rate('proxies') },
    ...{ rss: rssMb(host.pid), shimMb: pssMb(shims), proxyMb: pssMb(proxies) },
  };
}

/** Programs and what holds their networks. */
async function containersOf(docker: Docker, instance: string): Promise<Docker.ContainerInfo[]> {
  const lists = [LABELS.instance, LABELS.sandboxInstance].map((label) =>
    docker.listContainers({ all: true, filters: { label: [`${label}=${instance}`] } }),
  );
  return (await Promise.all(lists)).flat();
}

async function processesOf(docker: Docker, instance: string): Promise<EngineProcesses> {
  const ids = new Set((await containersOf(docker, instance)).map(({ Id }) => Id));
  const found = sortProcesses(processLines(), ids);
  if (found.shims.length === 0) throw new Error('no shim of the engine is seen here: is it on this machine?');
  return found;
}

async function untilNone(docker: Docker, instance: string): Promise<void> {
  await until(
    'all containers are gone',
    async () => (await containersOf(docker, instance)).length === 0,
    undefined,
    {
      ...{ everyMs: 500, limitMs: 600_000 },
    },
  );
}
