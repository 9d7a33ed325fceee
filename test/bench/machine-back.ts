import { setTimeout as sleep } from 'node:timers/promises';
import { mapLimit } from '../../registry/files/map-limit.ts';
import { openSecondEngine, type SecondEngine } from '../chaos/second-engine.ts';
import { ask } from '../e2e/api-client.ts';
import { createHost, type Host } from '../e2e/host.ts';
import { createBare } from './bare-engine.ts';
import type { Bench, Measurement } from './bench.ts';
import { fleetNames } from './fleet.ts';
import { MEMORY } from './healing.ts';
import { until } from './poll.ts';
import { inspectProgram } from './programs.ts';
import { inTurn, type Row } from './stats.ts';

const SIZE = 50;
const HOST_PORTS = '27400-27699';
const BARE_PORT_MIN = 27_400;
const AT_ONCE = 4;
/** All that do not answer yet, together. */
const ASK_EVERY_MS = 20;
const LIMIT_MS = 600_000;
/** Who is ended with the engine twice has to have run for a while in between, or it is taken for a crash. */
const CALM_MS = 3_000;

/** One engine with its programs; each of its own, so that none is in another's way. */
interface Side {
  engine: SecondEngine;
  ports: readonly number[];
}

/** From the start of an engine that had ended until 50 programs answer, beside Docker's own policy. Needs root. */
export const machineBack: Measurement = {
  name: 'machine-back',
  async measure(bench) {
    if (process.getuid?.() !== 0) {
      bench.say('machine-back: left out, since an engine that may be ended needs root');
      return [];
    }
    const size = bench.sizes.programs ?? SIZE;
    const off = await startOurs(bench, size, 'off');
    const { Version: version } = await off.engine.docker.version();
    if (version !== bench.version) {
      bench.say(`machine-back: left out, since the engine that may be ended here is ${version}`);
      return [];
    }
    const on = await startOurs(bench, size, 'on');
    const policy = await startPolicy(bench, off.host, size);
    for (const { engine } of [off, on, policy]) await engine.stop();
    const samples = await inTurn(
      bench.rounds,
      { off: () => backMs(off), on: () => backMs(on), policy: () => backMs(policy) },
      (round) => bench.say(`machine-back: round ${round + 1} of ${bench.rounds}`),
    );
    const row = (name: string, ours: number[]): Row => ({
      name: `engine restart with ${size} programs → all answer${name}`,
      ...({ unit: 'ms', ours, bare: samples.policy, against: "Docker's --restart=always" } as const),
      limit: { kind: 'at most', value: 1 },
    });
    return [row('', samples.off), row(', --sandbox on', samples.on)];
  },
};

async function openEngine(bench: Bench): Promise<SecondEngine> {
  const engine = await openSecondEngine();
  bench.onClose(() => engine.close());
  return engine;
}

async function startOurs(bench: Bench, size: number, sandbox: 'on' | 'off'): Promise<Side & { host: Host }> {
  const engine = await openEngine(bench);
  const host = await createHost(HOST_PORTS, engine.place);
  // Before its engine: what is added last is closed first.
  bench.onClose(async () => {
    if (!engine.isUp()) await engine.start();
    await host.close();
  });
  await host.start({ args: ['--sandbox', sandbox] });
  const names = fleetNames('back', size);
  for (const name of names) await host.writeManifest(name, { resources: { memory: MEMORY } });
  const ports: number[] = [];
  for (const name of names) {
    const { proxy_url: url } = await host.untilState(name, 'Ready');
    ports.push(Number(new URL(url).port));
  }
  bench.say(`machine-back: ${size} programs, --sandbox ${sandbox}`);
  return { engine, host, ports };
}

/** Containers made like the host's, on a network made like the host's, which Docker restarts by itself. */
async function startPolicy(bench: Bench, host: Host, size: number): Promise<Side> {
  const [name = ''] = fleetNames('back', 1);
  const model = await inspectProgram(host.docker, name);
  const network = await host.docker.getNetwork(model.HostConfig.NetworkMode ?? '').inspect();
  const engine = await openEngine(bench);
  await engine.docker.createNetwork({
    ...{ Name: network.Name, Driver: network.Driver, Options: network.Options },
  });
  const names = fleetNames('policy', size);
  await mapLimit(names, AT_ONCE, async (copy) => {
    const port = BARE_PORT_MIN + names.indexOf(copy);
    const options = { name: copy, instance: 'policy', port, restart: 'always' } as const;
    await (await createBare(engine.docker, model, options)).start();
  });
  bench.say(`machine-back: ${size} containers of Docker's policy`);
  return { engine, ports: names.map((_, index) => BARE_PORT_MIN + index) };
}

/** Its engine is ended before, and is afterwards. */
async function backMs({ engine, ports }: Side): Promise<number> {
  const from = performance.now();
  const started = engine.start();
  const silent = new Set(ports);
  const askAll = async () => {
    await Promise.all(
      [...silent].map(async (port) => {
        if (await answers(engine, port)) silent.delete(port);
      }),
    );
    return silent.size === 0;
  };
  await until('all programs answer', askAll, () => `; ${silent.size} do not`, {
    ...{ everyMs: ASK_EVERY_MS, limitMs: LIMIT_MS },
  });
  const ms = performance.now() - from;
  await started;
  await sleep(CALM_MS);
  await engine.stop();
  return ms;
}

async function answers({ place }: SecondEngine, port: number): Promise<boolean> {
  const by = place.dispatcher === undefined ? {} : { dispatcher: place.dispatcher };
  try {
    return (await ask(`http://127.0.0.1:${port}/watcher/status`, by)).status === 200;
  } catch {
    return false;
  }
}
