import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { TEMP_PREFIX } from '../../registry/files/atomic-write.ts';
import { createHost, type Host, type Program } from './host.ts';
import { until, untilEqual } from './until.ts';

/** Ports that others hold, ports that run out, and data that outlives everything but its owner. */

const TINY = '29640-29643';
let host: Host;
let tiny: Host;

before(async () => {
  [host, tiny] = await Promise.all([createHost('29620-29639'), createHost(TINY)]);
  await Promise.all([host.start(), tiny.start()]);
});

after(() => Promise.all([host?.close(), tiny?.close()]));

const portOf = ({ proxy_url }: Pick<Program, 'proxy_url'>) => Number(new URL(proxy_url).port);

/** Listens as a foreign process; the returned function ends that. */
async function occupy(port: number): Promise<() => Promise<void>> {
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return () => new Promise((resolve) => server.close(() => resolve()));
}

describe('a port that somebody else holds', { concurrency: 4 }, () => {
  it('moves a program that pins none, and says so', async () => {
    await host.writeManifest('moving');
    const before = await host.untilState('moving', 'Ready');
    await host.call('POST', '/programs/moving/stop');
    await host.untilState('moving', 'Stopped');
    const release = await occupy(portOf(before));
    await host.call('POST', '/programs/moving/start');
    const after = await host.untilState('moving', 'Ready');
    await release();
    assert.notEqual(after.proxy_url, before.proxy_url);
    assert.equal((await host.direct(after, '/watcher/status')).status, 200);
    assert.equal((await host.call('GET', '/programs/moving/proxy/watcher/status')).status, 200);
    const told = (await host.events('moving')).find(({ reason }) => reason === 'PortReassigned');
    assert.match(
      told?.message ?? '',
      new RegExp(`port ${portOf(before)} is taken .* moves to ${portOf(after)}`),
    );
    await until('the old container is gone', async () => (await host.containers('moving')).length === 1);
  });

  it('is PortConflict for one that pins it, until it is free', async () => {
    const release = await occupy(29_638);
    await host.writeManifest('pinned', { publishPort: 29_638 });
    const refused = await host.untilError('pinned', 'PortConflict');
    assert.match(refused.error_msg, /29638/);
    assert.equal(refused.proxy_url, 'http://localhost:29638');
    await release();
    const served = await host.untilState('pinned', 'Ready');
    assert.equal((await host.direct(served, '/watcher/status')).status, 200);
  });

  it('is PortConflict too where the holder is a program; neither disturbs the other', async () => {
    await host.writeManifest('first', { publishPort: 29_639 });
    const first = await host.untilState('first', 'Ready');
    await host.writeManifest('second', { publishPort: 29_639 });
    const second = await host.untilError('second', 'PortConflict');
    assert.match(second.error_msg, /held by program first/);
    assert.equal((await host.get('first')).container_id, first.container_id);
    await host.call('DELETE', '/programs/first');
    await host.untilGone('first');
    await host.untilState('second', 'Ready');
  });
});

describe('ports that run out', { concurrency: false }, () => {
  const body = { user_id: 'e2e', dockerfile: 'FROM hersh-test/server' };

  it('give 503, and leave nothing half made', async () => {
    const made: Program[] = [];
    for (let n = 0; n < 4; n++) made.push((await tiny.call('POST', '/programs', body)).json);
    assert.equal(new Set(made.map(portOf)).size, 4);
    const files = async () =>
      (await tiny.files('programs', 'status', 'sources')).filter((file) => !file.includes(TEMP_PREFIX));
    const before = await files();
    const refused = await tiny.call('POST', '/programs', body);
    assert.equal(refused.status, 503);
    assert.match(refused.json.message, /no port is free between 29640 and 29643/);
    await untilEqual(() => tiny.files('programs', 'status', 'sources'), before);
    assert.equal((await tiny.call('GET', '/programs')).json.count, 4);

    // A manifest by hand is taken, and waits for a port to become free.
    await tiny.writeManifest('waiting');
    await tiny.untilError('waiting', 'PortsExhausted');
    const [gone] = made;
    assert.ok(gone);
    await tiny.call('DELETE', `/programs/${gone.program_id}`);
    const served = await tiny.untilState('waiting', 'Ready');
    assert.equal(portOf(served), portOf(gone));
    for (const { program_id } of made.slice(1)) await tiny.call('DELETE', `/programs/${program_id}`);
    for (const { program_id } of made) await tiny.untilGone(program_id);
  });

  it('are not given where a foreign process listens, and are kept across restarts of the host', async () => {
    const release = await occupy(29_641);
    const ports = new Set<number>();
    for (;;) {
      const { status, json } = await tiny.call('POST', '/programs', body);
      if (status === 503) break;
      ports.add(portOf(json));
    }
    await release();
    assert.ok(!ports.has(29_641), `${[...ports]}`);
    assert.equal(ports.size, 2, 'one is taken by a stranger, one by a program');
    const before = (await tiny.call('GET', '/programs')).json.programs.map(
      ({ proxy_url }: Program) => proxy_url,
    );
    await tiny.kill();
    await tiny.start();
    const after = (await tiny.call('GET', '/programs')).json.programs.map(
      ({ proxy_url }: Program) => proxy_url,
    );
    assert.deepEqual(after, before);
    const [last, over] = [
      await tiny.call('POST', '/programs', body),
      await tiny.call('POST', '/programs', body),
    ];
    assert.deepEqual([last.status, portOf(last.json), over.status], [201, 29_641, 503]);
  });
});

describe('/state', { concurrency: 4 }, () => {
  const write = (program: Program, data: string) =>
    host.direct(program, `/write?path=/state/data&data=${data}`);
  const read = async (program: Program) => (await host.direct(program, '/read?path=/state/data')).text;

  it('survives crashes, replacements, restarts and a deletion; another user never gets it', async () => {
    const context = await host.writeContext('keeper', 'ENV VERSION=1');
    const spec = { userId: 'alice', build: { context } };
    await host.writeManifest('keeper', spec);
    const first = await host.untilState('keeper', 'Ready');
    assert.equal((await write(first, 'precious')).text, 'ok');

    await host.direct(first, '/crash', { method: 'POST' }).catch(() => undefined);
    const crashed = await host.untilProgram(
      'keeper',
      'runs again',
      (p) => p.restart_count === 1 && p.state === 'Ready',
    );
    assert.equal(await read(crashed), 'precious');

    await host.writeContext('keeper', 'ENV VERSION=2');
    const replaced = await host.untilProgram(
      'keeper',
      'is replaced',
      (p) => p.state === 'Ready' && p.container_id !== first.container_id,
    );
    assert.equal(await read(replaced), 'precious');

    await host.call('DELETE', '/programs/keeper');
    await host.untilGone('keeper');
    assert.ok((await readdir(host.path('data/trash'))).some((file) => file.startsWith('keeper.')));

    await host.writeManifest('keeper', { ...spec, userId: 'mallory' });
    const other = await host.untilState('keeper', 'Ready');
    assert.equal(await read(other), 'ENOENT', 'another user starts empty');
    assert.equal((await write(other, 'hers')).text, 'ok');
    await host.call('DELETE', '/programs/keeper');
    await host.untilGone('keeper');

    await host.writeManifest('keeper', spec);
    const again = await host.untilState('keeper', 'Ready');
    assert.equal(await read(again), 'precious', 'the first user gets it back');
    assert.equal((await host.volumes()).filter((name) => name.includes('keeper')).length, 2);
  });

  it('stays with its user when a name changes hands, whether at once after a delete or by an edit', async () => {
    const spec = { userId: 'alice', env: { IGNORE_TERM: '1' }, stopGracePeriodSeconds: 2 };
    await host.writeManifest('heir', spec);
    const first = await host.untilState('heir', 'Ready');
    await write(first, 'precious');
    await host.call('DELETE', '/programs/heir');
    assert.equal((await host.containers('heir')).length, 1, 'the old one is still being stopped');
    await host.writeManifest('heir', { ...spec, userId: 'mallory' });
    const isOf = (user: string, not: Program) => (program: Program) =>
      program.user_id === user && program.state === 'Ready' && program.container_id !== not.container_id;
    const second = await host.untilProgram('heir', 'is mallory’s', isOf('mallory', first));
    assert.equal(await read(second), 'ENOENT');
    await write(second, 'hers');

    await host.writeManifest('heir', { ...spec, userId: 'alice' });
    const third = await host.untilProgram('heir', 'is alice’s', isOf('alice', second));
    assert.equal(await read(third), 'precious');
  });

  it('is the program’s own, and the only place it can write', async () => {
    await host.writeManifest('one');
    await host.writeManifest('two');
    const [one, two] = [await host.untilState('one', 'Ready'), await host.untilState('two', 'Ready')];
    await write(one, 'mine');
    assert.equal(await read(two), 'ENOENT');
    const { text } = await host.direct(one, '/write?path=/elsewhere');
    assert.equal(text, 'EROFS');
  });

  it('programs are out of each other’s reach and of the host’s', async () => {
    await host.writeManifest('snoop');
    await host.writeManifest('target');
    const [snoop, target] = [
      await host.untilState('snoop', 'Ready'),
      await host.untilState('target', 'Ready'),
    ];
    const { NetworkSettings, HostConfig } = await host.docker.getContainer(target.container_id).inspect();
    const [network] = Object.values(NetworkSettings.Networks);
    assert.deepEqual(HostConfig.PortBindings, {
      '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(portOf(target)) }],
    });
    const reach = async (at: string, port: number) =>
      (await host.direct(snoop, `/connect?host=${at}&port=${port}`)).text;
    const api = Number(new URL(await host.child().url()).port);
    assert.notEqual(await reach(network?.IPAddress ?? '', 8080), 'ok', 'its address');
    assert.notEqual(await reach(network?.Gateway ?? '', portOf(target)), 'ok', 'its published port');
    assert.notEqual(await reach(network?.Gateway ?? '', api), 'ok', 'the API');
    await until(
      'the target answered all the while',
      async () => (await host.get('target')).state === 'Ready',
    );
  });
});
