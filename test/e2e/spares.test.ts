import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { LABELS } from '../../schemas/program.ts';
import { createHost, type Host, type Program } from './host.ts';
import { until } from './until.ts';

/** Network sandboxes that stand ready for programs, on a real engine. */

let host: Host;

before(async () => {
  host = await createHost('29390-29399');
  await host.start({ args: ['--sandbox', 'on', '--spares', '2'] });
});

after(() => host?.close());

/** Ids of all sandboxes, and of those that run and are no program's. */
async function sandboxes(): Promise<{ all: string[]; spares: string[] }> {
  const filters = { label: [`${LABELS.sandboxInstance}=${host.instance}`] };
  const found = await host.docker.listContainers({ all: true, filters });
  const isSpare = ({ Names }: (typeof found)[number]) => /hersh-spare-[0-9a-f]{8}$/.test(Names[0] ?? '');
  const spares = found.filter((one) => isSpare(one) && one.State === 'running');
  return { all: found.map(({ Id }) => Id).sort(), spares: spares.map(({ Id }) => Id).sort() };
}

const untilSpares = (count: number): Promise<string[]> =>
  until(`there are ${count} spares`, async () => {
    const { spares } = await sandboxes();
    return spares.length === count && spares;
  });

async function joined({ container_id: id }: Program): Promise<string> {
  const { NetworkMode = '' } = (await host.docker.getContainer(id).inspect()).HostConfig;
  return NetworkMode.replace(/^container:/, '');
}

it('are taken by programs that come, refilled, adopted by the next host, and go when they are turned off', async () => {
  const first = await untilSpares(2);
  await host.writeManifest('app');
  const app = await host.untilState('app', 'Ready');
  assert.ok(first.includes(await joined(app)));
  assert.equal((await host.direct(app, '/watcher/status')).status, 200);

  const dockerfile = `FROM hersh-test/server\nLABEL run=${host.marker}\n`;
  const { json } = await host.call('POST', '/programs', { user_id: 'e2e', dockerfile });
  const name = json.program_id as string;
  await host.call('POST', `/programs/${name}/start`);
  const posted = await host.untilState(name, 'Ready');
  assert.equal(posted.proxy_url, json.proxy_url);
  const two = [await joined(app), await joined(posted)];
  assert.equal(new Set(two).size, 2);

  const spares = await untilSpares(2);
  assert.ok(spares.every((id) => !two.includes(id)));
  const before = await sandboxes();
  await host.kill();
  await host.start({ args: ['--sandbox', 'on', '--spares', '2'] });
  await host.untilState('app', 'Ready');
  assert.deepEqual(await sandboxes(), before);

  await host.call('DELETE', `/programs/${name}`);
  await host.untilGone(name);
  await until('its own is gone', async () => !(await sandboxes()).all.includes(two[1] ?? ''));
  await host.stop();
  await host.start({ args: ['--sandbox', 'on', '--spares', '0'] });
  await until('there are none', async () => (await sandboxes()).all.join() === two[0]);
  assert.equal((await host.untilState('app', 'Ready')).container_id, app.container_id);
});
