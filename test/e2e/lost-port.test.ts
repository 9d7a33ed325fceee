import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { createHost, type Host, type Program } from './host.ts';
import { until } from './until.ts';

/**
 * Ports of which a real engine says that they are published, and that refuse: what forwards them has ended. Needs an
 * engine with its userland proxy, which is the default, and the rights to end that.
 */

let host: Host;

before(async () => {
  host = await createHost('29490-29499');
});

after(() => host?.close());

const portOf = ({ proxy_url: url }: Program): string => new URL(url).port;

/** The engine's proxy for that port, by its arguments; undefined where there is none. */
function proxyOf(port: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return /docker-proxy$/.test(words[0] ?? '') && words[words.indexOf('-host-port') + 1] === port;
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

async function loses(name: string): Promise<void> {
  await host.writeManifest(name);
  const first = await host.untilState(name, 'Ready');
  const port = portOf(first);
  const proxy = proxyOf(port);
  assert.ok(proxy !== undefined, `the engine has no docker-proxy for port ${port}`);
  process.kill(proxy, 'SIGKILL');
  await until(`port ${port} refuses`, () =>
    host.direct(first, '/watcher/status').then(
      () => false,
      () => true,
    ),
  );
  const { State } = await host.docker.getContainer(first.container_id).inspect();
  assert.ok(State.Running, 'no event tells of it');
  const back = await host.untilProgram(
    name,
    'is back',
    (p) => p.state === 'Ready' && p.container_id !== first.container_id,
  );
  assert.equal(portOf(back), port);
  assert.equal(back.revision, first.revision);
  assert.equal((await host.direct(back, '/watcher/status')).status, 200);
  const told = (await host.events(name)).filter(({ reason }) => ['PortLost', 'Drifted'].includes(reason));
  assert.deepEqual(
    told.map(({ type, reason }) => `${type} ${reason}`),
    ['Warning PortLost'],
  );
  await until('the old one is gone', async () => (await host.containers(name)).length === 1);
}

it('a program whose port is lost is back on it in another sandbox, and what only connects sees what listens', async () => {
  await host.start({ args: ['--sandbox', 'on'] });
  await loses('joined');
  const view = (await host.call('GET', '/programs/joined/sandbox')).json as Record<string, string>;
  assert.match(view.sandbox_id ?? '', /^[0-9a-f]{64}$/);
  assert.match(view.address ?? '', /^\d+\.\d+\.\d+\.\d+$/);

  // The engine's proxy takes its connections all the same.
  await host.writeManifest('deaf', { env: { LISTEN: '0' }, readiness: { tcp: true, periodSeconds: 0.2 } });
  const deaf = await host.untilProgram('deaf', 'says why it is not ready', (p) =>
    p.conditions.some(({ type, message }) => type === 'Ready' && message === 'nothing listens on 8080'),
  );
  assert.equal(deaf.state, 'Running');
  await host.writeManifest('open', { readiness: { tcp: true, periodSeconds: 0.2 } });
  await host.untilState('open', 'Ready');
  await host.stop();
});

it('so is one with a network of its own', async () => {
  await host.start();
  await loses('own');
  const { json } = await host.call('GET', '/programs/own/sandbox');
  assert.equal((json as Record<string, unknown>).sandbox_id, null);
});
