import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { createHost, type Host } from './host.ts';
import { until } from './until.ts';

/** What a program uses, measured by a whole host beside a real engine. */

let host: Host;

before(async () => {
  host = await createHost('29460-29469');
  await host.start();
});

after(() => host?.close());

interface Usage {
  cpu: number | null;
  memory_bytes: number | null;
  cpu_limit: number | null;
  memory_limit_bytes: number | null;
  reason: string;
  series?: { cpu: (number | null)[]; memory_bytes: (number | null)[] };
}

const usage = async (name: string, query = ''): Promise<Usage> =>
  (await host.call('GET', `/programs/${name}/usage${query}`)).json as unknown as Usage;

it('shows CPU and memory of a busy container, keeps them over a restart of the host, and not of one that stopped', async () => {
  await host.writeManifest('busy', { resources: { memory: '64Mi', cpus: 0.5, pids: 32 } });
  const program = await host.untilState('busy', 'Ready');
  const figures = await until(
    'its CPU and memory are measured, and its limits are known',
    async () => {
      // What keeps it busy.
      await Promise.all(Array.from({ length: 20 }, () => host.direct(program, '/env')));
      const found = await usage('busy');
      const isLimited = found.cpu_limit !== null && found.memory_limit_bytes !== null;
      const isMeasured = found.cpu !== null && found.cpu > 0 && found.memory_bytes !== null;
      return isMeasured && isLimited ? found : undefined;
    },
    async () => JSON.stringify(await usage('busy')),
  );
  const limit = 64 * 2 ** 20;
  assert.ok(
    Number(figures.memory_bytes) > 0 && Number(figures.memory_bytes) <= limit,
    JSON.stringify(figures),
  );
  const { cpu_limit: cpus, memory_limit_bytes: bytes, reason } = figures;
  assert.deepEqual({ cpus, bytes, reason }, { cpus: 0.5, bytes: limit, reason: '' });
  assert.match(
    (await host.call('GET', '/metrics')).text,
    /hersh_program_memory_working_set_bytes\{program="busy"\} \d+/,
  );

  await host.stop();
  assert.deepEqual(readdirSync(host.path('data', 'usage')), ['busy.ring']);
  await host.start();
  const cpu = async (query: string) =>
    (await usage('busy', query)).series?.cpu.filter((one) => one !== null) ?? [];
  await until('the hour is back', async () => (await cpu('?range=1h')).length > 0);
  assert.ok((await cpu('?range=7d')).length > 0);

  await host.call('POST', '/programs/busy/stop');
  const stopped = await until('it is seen to have stopped', async () => {
    const { json } = await host.call('GET', '/usage');
    const [one] = json.programs as unknown as Usage[];
    return one?.reason === 'it does not run' ? one : undefined;
  });
  assert.deepEqual([stopped.cpu, stopped.memory_bytes], [null, null]);
});
