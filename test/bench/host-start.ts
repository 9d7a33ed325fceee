import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapLimit } from '../../registry/files/map-limit.ts';
import { LABELS } from '../../schemas/program.ts';
import { ROOT } from '../setup/host-settings.ts';
import type { Bench, Measurement } from './bench.ts';
import { fleetNames, untilAll, writeFleet } from './fleet.ts';
import type { BenchHost } from './host-process.ts';

const SIZE = 200;
const HOST_PORTS = '28600-28899';
const READY_MS_MAX = 2_000;
/** After it calls itself ready, the host looks at every program; what that would touch has to show. */
const SETTLE_MS = 3_000;
const INSPECTS_AT_ONCE = 8;

/** How soon a host that starts on 200 running programs is ready, and that it leaves every one alone. */
export const hostStart: Measurement = {
  name: 'host-start',
  async measure(bench) {
    const registry = mkdtempSync(join(tmpdir(), 'hersh-bench-'));
    let host: BenchHost | undefined;
    try {
      const instance = `${bench.name}-start`;
      const start = () => bench.startHost({ instance, portRange: HOST_PORTS, registry });
      host = await start();
      await writeFleet(bench, registry, fleetNames(`${bench.name}-start`, SIZE));
      await untilAllReady(host);
      await host.stop();
      const before = await runsOf(bench, instance);
      const samples = { ours: [] as number[], bare: [] as number[] };
      for (let round = 0; round < bench.rounds; round++) {
        samples.bare.push(await emptyProcess());
        host = await start();
        samples.ours.push(host.readyMs);
        await untilAllReady(host);
        await sleep(SETTLE_MS);
        await host.stop();
        assertUntouched(before, await runsOf(bench, instance));
        bench.say(`host-start: round ${round + 1} of ${bench.rounds}`);
      }
      const row = { unit: 'ms', ours: samples.ours } as const;
      const name = `host start on ${SIZE} running programs → /readyz`;
      return [
        { ...row, name, bare: [], against: '', limit: { kind: 'at most', value: READY_MS_MAX } },
        { ...row, name, bare: samples.bare, against: 'node --import tsx -e 0', limit: null },
      ];
    } finally {
      await host?.stop();
      rmSync(registry, { recursive: true, force: true });
    }
  },
};

const untilAllReady = (host: BenchHost) =>
  untilAll(host, 'get Ready', SIZE, ({ state }) => state === 'Ready');

/** When each container of an instance started, by its id. */
async function runsOf({ docker }: Bench, instance: string): Promise<ReadonlyMap<string, string>> {
  const filters = { label: [`${LABELS.instance}=${instance}`] };
  const listed = await docker.listContainers({ all: true, filters });
  const runs = new Map<string, string>();
  await mapLimit(listed, INSPECTS_AT_ONCE, async ({ Id }) => {
    const { State: state } = await docker.getContainer(Id).inspect();
    runs.set(Id, `${state.Status} since ${state.StartedAt}`);
  });
  return runs;
}

function assertUntouched(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  const ids = new Set([...before.keys(), ...after.keys()]);
  const touched = [...ids].filter((id) => before.get(id) !== after.get(id));
  if (touched.length === 0) return;
  const told = touched.map((id) => `${id.slice(0, 12)}: ${before.get(id)}, now ${after.get(id)}`);
  throw new Error(`the start of the host touched ${touched.length} containers: ${told.join('; ')}`);
}

/** What every process that loads TypeScript costs, before its first line. */
async function emptyProcess(): Promise<number> {
  const from = performance.now();
  const argv = ['--import', 'tsx', '-e', '0'];
  const [code] = await once(spawn(process.execPath, argv, { cwd: ROOT, stdio: 'ignore' }), 'exit');
  if (code !== 0) throw new Error(`node ${argv.join(' ')} ended with ${code}`);
  return performance.now() - from;
}
