import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { answers } from './answers.ts';
import { assertSameFlags, type BareCopy, createBare } from './bare-engine.ts';
import type { Bench, Measurement } from './bench.ts';
import { openEngineEvents } from './engine-events.ts';
import { crashAndHeal, healNewProgram, modelOf } from './healing.ts';
import { inTime, until } from './poll.ts';
import { type Row, turned } from './stats.ts';

const HOST_PORTS = '28000-28049';
const BARE_PORT_MIN = 28050;
const BARE_PORTS = 50;
/** After a container was removed, the engine still works on its remains. */
const CALM_MS = 200;

/** From a crash until the program answers again, beside who does it by hand and beside the engine itself. */
export const crashRecovery: Measurement = {
  name: 'crash-recovery',
  async measure(bench) {
    const host = await bench.startHost({ instance: `${bench.name}-crash`, portRange: HOST_PORTS });
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    const model = await modelOf(bench, host, events);
    const floor = `${bench.name}-floor`;
    await startRestarter(bench, floor);
    const bare = (round: number, instance: string, restart: Pick<BareCopy, 'restart'> = {}) =>
      healBare(bench, model, { name: `${instance}-${round + 1}`, instance, port: portOf(round), ...restart });
    const contestants = {
      ours: (round: number) => healNewProgram(bench, host, events, `${bench.name}-crash-${round + 1}`),
      floor: (round: number) => bare(round, floor),
      policy: (round: number) => bare(round, `${bench.name}-policy`, { restart: 'always' }),
    };
    const keys = Object.keys(contestants) as (keyof typeof contestants)[];
    const samples: Record<keyof typeof contestants, number[]> = { ours: [], floor: [], policy: [] };
    // A round unseen first, so that nobody is measured cold.
    for (let round = -1; round < bench.rounds; round++) {
      for (const key of turned(keys, Math.max(0, round))) {
        const ms = await contestants[key](round);
        if (round >= 0) samples[key].push(ms);
        await sleep(CALM_MS);
      }
      if (round >= 0) bench.say(`crash-recovery: round ${round + 1} of ${bench.rounds}`);
    }
    const row = { name: 'crash → answers again', unit: 'ms', ours: samples.ours } as const;
    const rows: Row[] = [
      { ...row, bare: samples.floor, against: 'die event + start', limit: { kind: 'at most', value: 1.1 } },
      {
        ...row,
        bare: samples.policy,
        against: "Docker's --restart=always",
        limit: { kind: 'at most', value: 1 },
      },
    ];
    return rows;
  },
};

const portOf = (round: number): number => BARE_PORT_MIN + ((round + 1) % BARE_PORTS);

async function healBare(bench: Bench, model: Docker.ContainerInspectInfo, copy: BareCopy): Promise<number> {
  const container = await createBare(bench.docker, model, copy);
  await container.start();
  await until(`${copy.name} answers`, () => answers(copy.port));
  const made = await container.inspect();
  const { RestartPolicy } = made.HostConfig;
  // The policy is what the copy is about; everything else has to be equal.
  assertSameFlags({ ...model, HostConfig: { ...model.HostConfig, RestartPolicy } }, made);
  const ms = await crashAndHeal(copy.port);
  await container.remove();
  return ms;
}

/** Runs bare-restarter.ts over the containers of an instance until the benchmark ends. */
async function startRestarter(bench: Bench, instance: string): Promise<void> {
  const script = fileURLToPath(new URL('bare-restarter.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, instance], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'exit');
  bench.onClose(async () => {
    child.kill();
    await ended;
  });
  const watching = Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => Promise.reject(new Error('bare-restarter.ts ended'))),
  ]);
  await inTime('bare-restarter.ts watches', watching);
}
