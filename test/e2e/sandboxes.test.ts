import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { LABELS } from '../../schemas/program.ts';
import { createHost, type Host, type Program } from './host.ts';
import { until } from './until.ts';

/** Programs whose network is held by a sandbox, on a real engine. */

let host: Host;

before(async () => {
  host = await createHost('29380-29389');
  await host.start({ args: ['--sandbox', 'on', '--spares', '0'] });
});

after(() => host?.close());

async function sandboxes(name: string): Promise<string[]> {
  const label = [`${LABELS.sandboxInstance}=${host.instance}`, `${LABELS.sandboxOf}=${name}`];
  const found = await host.docker.listContainers({ all: true, filters: { label } });
  return found.map(({ Id }) => Id);
}

async function only(name: string): Promise<string> {
  const [one = '', ...others] = await sandboxes(name);
  assert.notEqual(one, '');
  assert.deepEqual(others, []);
  return one;
}

/** That it is Ready again on its port, and answers there. */
async function isBack(
  { program_id: name, proxy_url: url }: Program,
  is: (now: Program) => boolean,
): Promise<Program> {
  const now = await host.untilProgram(name, 'is back', (p) => p.state === 'Ready' && is(p));
  assert.equal(now.proxy_url, url);
  assert.equal((await host.direct(now, '/watcher/status')).status, 200);
  return now;
}

it('keep it over crash and rollout, are healed when it is killed, and give it back after a minute at rest', async () => {
  await host.writeManifest('app');
  const first = await host.untilState('app', 'Ready');
  const sandbox = await only('app');
  const inspected = await host.docker.getContainer(first.container_id).inspect();
  assert.equal(inspected.HostConfig.NetworkMode, `container:${sandbox}`);

  await host.direct(first, '/crash?code=3', { method: 'POST' }).catch(() => undefined);
  const crashed = await isBack(first, (p) => p.restart_count === 1);
  assert.equal(crashed.container_id, first.container_id);

  await host.writeManifest('app', { env: { A: 'b' } });
  const next = await isBack(first, (p) => p.revision === 2 && p.container_id !== first.container_id);
  assert.equal(await only('app'), sandbox);

  await host.docker.getContainer(sandbox).kill();
  const healed = await isBack(first, (p) => p.container_id !== next.container_id);
  assert.equal(healed.revision, 2);
  await host.docker.getContainer(sandbox).remove({ force: true });
  const renewed = await isBack(first, (p) => p.container_id !== healed.container_id);
  const drifted = (await host.events('app')).filter(({ reason }) => reason === 'Drifted');
  assert.equal(drifted.length, 2);
  const last = await only('app');

  await host.kill();
  await host.start({ args: ['--sandbox', 'on', '--spares', '0'] });
  assert.equal((await host.untilState('app', 'Ready')).container_id, renewed.container_id);
  assert.equal(await only('app'), last);

  await host.writeManifest('app', { env: { A: 'b' }, desiredState: 'Stopped' });
  await host.untilState('app', 'Stopped');
  assert.equal(await only('app'), last);
  await until('it is given back', async () => (await sandboxes('app')).length === 0);
  await host.writeManifest('app', { env: { A: 'b' } });
  const again = await isBack(first, (p) => p.container_id !== renewed.container_id);
  assert.equal(again.revision, 2);
  await host.call('DELETE', '/programs/app');
  await host.untilGone('app');
  assert.deepEqual(await sandboxes('app'), []);
});
