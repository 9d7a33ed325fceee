import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createHost, type Host } from './host.ts';
import { type HostChild, spawnHost } from './host-child.ts';
import { until } from './until.ts';

/** The process itself: options, exit codes, signals, locks, logs, and two of them side by side. */

let host: Host;
let other: Host;
let folder = '';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'e2e-options-'));
  // The same ports on purpose: neither knows what the other has promised.
  [host, other] = await Promise.all([createHost('29660-29669'), createHost('29660-29669')]);
});

after(async () => {
  await Promise.all([host?.close(), other?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** For a host that is not to come up: gives its exit code and all it said. */
async function fails(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; said: string }> {
  const child = spawnHost(args, env);
  const code = await child.ended;
  return { code, said: child.stdout() + child.stderr() };
}

describe('options', { concurrency: 3 }, () => {
  const names = ['registry', 'port', 'host', 'port-range', 'instance', 'runtime', 'log-level'];

  it('--help tells every option with its variable and default, and ends with 0', async () => {
    const child = spawnHost(['--help']);
    assert.equal(await child.ended, 0);
    const help = child.stdout();
    for (const name of names) {
      assert.match(help, new RegExp(`--${name} `));
      assert.match(help, new RegExp(`HERSH_${name.toUpperCase().replace('-', '_')} `));
    }
    for (const fallback of ['9000', '127.0.0.1', '19001-29999', 'default', 'runc', 'info', 'DOCKER_HOST']) {
      assert.ok(help.includes(fallback), fallback);
    }
    assert.equal(child.stderr(), '');
  });

  it('a wrong one is refused by its own name, with 2 and before anything is touched', async () => {
    // The whole table is in test/controller/config.test.ts: a process each would take half a minute.
    const cases: [args: string[], env: Record<string, string>, wanted: RegExp][] = [
      [['--prot', '1'], {}, /--prot/],
      [['--port-range', '29000-28000'], {}, /^--port-range: .*lower first/],
      [[], { HERSH_RUNTIME: 'z' }, /^HERSH_RUNTIME: "z"/],
    ];
    const registry = join(folder, 'never-made');
    await Promise.all(
      cases.map(async ([args, env, wanted]) => {
        const { code, said } = await fails(args, { HERSH_REGISTRY: registry, ...env });
        assert.equal(code, 2, said);
        assert.match(said, wanted);
      }),
    );
    assert.throws(() => rmSync(registry, { recursive: true }), { code: 'ENOENT' });
  });

  it('an address that is not loopback, a taken port and an unusable registry end it with 1 and a clear word', async () => {
    const base = ['--instance', `${host.instance}-x`, '--port', '0', '--port-range', '29660-29669'];
    const open = await fails([...base, '--registry', join(folder, 'a'), '--host', '0.0.0.0']);
    assert.deepEqual([open.code, /does not listen on 0\.0\.0\.0/.test(open.said)], [1, true], open.said);
    const server = createServer().listen(0, '127.0.0.1');
    const port = await until('it listens', () => {
      const address = server.address();
      return address !== null && typeof address === 'object' ? address.port : undefined;
    });
    const taken = await fails([...base, '--registry', join(folder, 'b'), '--port', String(port)]);
    server.close();
    assert.deepEqual(
      [taken.code, taken.said.includes(`port ${port} on 127.0.0.1 is taken`)],
      [1, true],
      taken.said,
    );
    writeFileSync(join(folder, 'file'), '');
    const file = await fails([...base, '--registry', join(folder, 'file')]);
    assert.deepEqual([file.code, /registry .*file can not be used/.test(file.said)], [1, true], file.said);
  });

  it('come from the environment too, and a flag wins', async () => {
    const registry = join(folder, 'env');
    const child = spawnHost(['--port', '0', '--log-level', 'info'], {
      ...{
        HERSH_REGISTRY: registry,
        HERSH_INSTANCE: `${host.instance}-env`,
        HERSH_PORT: '1',
        HERSH_HOST: 'localhost',
      },
      ...{ HERSH_PORT_RANGE: '29660-29669', HERSH_RUNTIME: 'runsc', HERSH_LOG_LEVEL: 'silent' },
    });
    try {
      assert.match(await child.url(), /^http:\/\/localhost:\d+$/);
      const up = child.log().find(({ msg }) => msg === 'Hersh Host is up');
      assert.deepEqual(
        [up?.registry, up?.instance, up?.runtime],
        [registry, `${host.instance}-env`, 'runsc'],
      );
    } finally {
      child.signal('SIGTERM');
      assert.equal(await child.ended, 0);
    }
  });
});

describe('the running process', { concurrency: false }, () => {
  it('logs JSON, one object a line, and nothing else', async () => {
    await Promise.all([host.start(), other.start()]);
    await host.writeManifest('twin', { env: { WHOSE: 'host' } });
    await host.untilState('twin', 'Ready');
    const lines = host.child().stdout().trimEnd().split('\n');
    for (const line of lines) {
      const { level, time, msg } = JSON.parse(line);
      assert.deepEqual([typeof level, typeof time, typeof msg], ['number', 'number', 'string'], line);
    }
    assert.equal(host.child().stderr(), '');
  });

  it('shares the engine with another instance, and neither notices the other', async () => {
    const names = ['twin', 'second', 'third'];
    for (const name of names) await other.writeManifest(name, { env: { WHOSE: 'other' } });
    for (const name of names.slice(1)) await host.writeManifest(name, { env: { WHOSE: 'host' } });
    const [mine, theirs] = await Promise.all(
      [host, other].map((one) => Promise.all(names.map((name) => one.untilState(name, 'Ready')))),
    );
    const ports = [...(mine ?? []), ...(theirs ?? [])].map(({ proxy_url }) => proxy_url);
    assert.equal(new Set(ports).size, 6, `${ports}`);
    for (const [one, whose] of [
      [host, 'host'],
      [other, 'other'],
    ] as const) {
      const { text } = await one.direct(await one.get('twin'), '/env');
      assert.match(text, new RegExp(`^WHOSE=${whose}$`, 'm'));
      assert.deepEqual((await one.call('GET', '/readyz')).json.warnings, []);
      assert.equal((await one.call('POST', '/registry/prune')).status, 200);
      assert.equal((await one.containers()).length, 3);
    }
    await host.call('DELETE', '/programs/twin');
    await host.untilGone('twin');
    const twin = await other.get('twin');
    assert.deepEqual([twin.state, twin.restart_count], ['Ready', 0]);
    assert.equal((await other.direct(twin, '/watcher/status')).status, 200);
  });

  it('refuses a second host on its registry, and its instance on another one; both name the first', async () => {
    const { pid } = host.child();
    const base = ['--port', '0', '--port-range', '29660-29669'];
    const registry = await fails([...base, '--registry', host.registry, '--instance', `${host.instance}-b`]);
    assert.equal(registry.code, 1);
    assert.ok(registry.said.includes(`${host.registry} is in use by process ${pid}`), registry.said);
    assert.ok(registry.said.includes(host.instance), registry.said);
    const instance = await fails([...base, '--registry', join(folder, 'c'), '--instance', host.instance]);
    assert.equal(instance.code, 1);
    assert.match(instance.said, new RegExp(`instance ${host.instance} .* is in use by process ${pid} `));
    assert.ok(instance.said.includes(host.registry), instance.said);
    assert.equal((await host.call('GET', '/readyz')).status, 200);
  });

  it('ends in good order on SIGTERM: followers and a build are let go, programs run on', async () => {
    const context = await host.writeContext('hanging', 'ENV LISTEN=0\nRUN ["/server", "never-ends"]');
    await host.writeManifest('hanging', { build: { context } });
    await host.untilState('hanging', 'Building');
    const followers = ['second/logs', 'second/events', 'hanging/build-log'].map((path) =>
      host.call('GET', `/programs/${path}?follow=true`).catch(() => undefined),
    );
    const program = await host.get('second');
    assert.equal(await host.stop(), 0);
    await Promise.all(followers);
    assert.ok(!host.log().some(({ msg }) => msg?.startsWith('something did not end in time')));
    assert.equal((await host.direct(program, '/watcher/status')).status, 200);
    await host.writeContext('hanging', 'ENV MENDED=1');
    await host.start();
    await host.untilState('hanging', 'Ready');
    assert.equal((await host.get('second')).container_id, program.container_id);
  });

  it('ends at once on a second SIGTERM', async () => {
    // A follower makes the orderly end take its second, so that the other signal comes in time.
    const follower = host.call('GET', '/programs/second/logs?follow=true').catch(() => undefined);
    await until('it is followed', async () => (await host.call('GET', '/healthz')).status === 200);
    const child: HostChild = host.child();
    // Those of the first half second are one wish with the first, whoever sends them.
    await until('it has ended', () => {
      child.signal('SIGTERM');
      return child.hasEnded();
    });
    assert.equal(await child.ended, 1);
    await follower;
    await host.start();
    await host.untilState('second', 'Ready');
  });
});
