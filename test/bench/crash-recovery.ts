import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { answers } from './answers.ts';
import { assertSameFlags, type BareCopy, createBare } from './bare-engine.ts';
import { type Bench, byEngine, type Measurement } from './bench.ts';
import { type EngineEvents, openEngineEvents } from './engine-events.ts';
import { crashAndAskFromStart, crashAndHeal, healNewProgram, modelOf, type Seen } from './healing.ts';
import { inTime, until } from './poll.ts';
import { inTurn, type Row } from './stats.ts';

const HOST_PORTS = '28000-28049';
const SANDBOX_PORTS = '27000-27049';
const BARE_PORT_MIN = 28050;
const BARE_PORTS = 50;
/** After a container was removed, the engine still works on its remains. */
const CALM_MS = 200;

/** From a crash until the program answers again, beside who does it by hand and beside the engine itself. */
export const crashRecovery: Measurement = {
  name: 'crash-recovery',
  async measure(bench) {
    const host = await bench.startHost({ instance: `${bench.name}-crash`, portRange: HOST_PORTS });
    const sandboxed = await bench.startHost({
      instance: `${bench.name}-boxed`,
      ...{ portRange: SANDBOX_PORTS, flags: { sandbox: 'on' } },
    });
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    const model = await modelOf(bench, host, events);
    const floor = `${bench.name}-floor`;
    await startRestarter(bench, floor);
    const healBy = {
      off: (key: string, seen: Seen) => healNewProgram(bench, host, events, `${bench.name}-${key}`, seen),
      on: (key: string, seen: Seen) => healNewProgram(bench, sandboxed, events, `${bench.name}-${key}`, seen),
      floor: (key: string, seen: Seen, port: number) =>
        healBare(bench, model, { name: `${floor}-${key}`, instance: floor, port }, seen, events),
      policy(key: string, seen: Seen, port: number) {
        const instance = `${bench.name}-policy`;
        const copy = { name: `${instance}-${key}`, instance, port, restart: 'always' } as const;
        return healBare(bench, model, copy, seen, events);
      },
    };
    type Who = keyof typeof healBy;
    const heal = (who: Who, seen: Seen) => async (round: number) => {
      const ms = await healBy[who](`${who}-${seen}-${round + 1}`, seen, portOf(round));
      await sleep(CALM_MS);
      return ms;
    };
    const contestants = {
      off: heal('off', 'asking'),
      on: heal('on', 'asking'),
      floor: heal('floor', 'asking'),
      policy: heal('policy', 'asking'),
      offStart: heal('off', 'start'),
      onStart: heal('on', 'start'),
      policyStart: heal('policy', 'start'),
    };
    const done = (round: number) => bench.say(`crash-recovery: round ${round + 1} of ${bench.rounds}`);
    return rowsOf(await inTurn(bench.rounds, contestants, done), byEngine(bench, 0.4, 0.6));
  },
};

type Key = 'off' | 'on' | 'floor' | 'policy' | 'offStart' | 'onStart' | 'policyStart';

function rowsOf(samples: Record<Key, number[]>, sandboxMax: number): Row[] {
  const row = (name: string, ours: Key, bare: Key, against: string, max: number | null): Row => ({
    ...{ name, unit: 'ms', ours: samples[ours], bare: samples[bare], against },
    limit: max === null ? null : { kind: 'at most', value: max },
  });
  const [name, boxed, fromStart] = ['crash → answers again', ', --sandbox on', ', asked from `start` on'];
  const policy = "Docker's --restart=always";
  return [
    row(name, 'off', 'floor', 'die event + start', 1.1),
    row(name, 'off', 'policy', policy, 1),
    row(`${name}${fromStart}`, 'offStart', 'policyStart', policy, null),
    row(`${name}${boxed}`, 'on', 'policy', policy, sandboxMax),
    row(`${name}${boxed}${fromStart}`, 'onStart', 'policyStart', policy, sandboxMax),
  ];
}

const portOf = (round: number): number => BARE_PORT_MIN + ((round + 1) % BARE_PORTS);

async function healBare(
  bench: Bench,
  model: Docker.ContainerInspectInfo,
  copy: BareCopy,
  seen: Seen,
  events: EngineEvents,
): Promise<number> {
  const container = await createBare(bench.docker, model, copy);
  await container.start();
  await until(`${copy.name} answers`, () => answers(copy.port));
  const made = await container.inspect();
  const { RestartPolicy } = made.HostConfig;
  // The policy is what the copy is about; everything else has to be equal.
  assertSameFlags({ ...model, HostConfig: { ...model.HostConfig, RestartPolicy } }, made);
  const { port, name } = copy;
  const ms = await (seen === 'start' ? crashAndAskFromStart(port, name, events) : crashAndHeal(port));
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
