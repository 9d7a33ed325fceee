import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPrivateRegistry, type PrivateRegistry } from '../engine/private-registry.ts';
import { TEST_IMAGE } from '../setup/test-image.ts';
import { holdsPassword } from './holds-login.ts';
import { createHost, type Host } from './host.ts';

/** `pullPolicy`, `POST …/pull` and `--docker-config-for` with a real engine and a registry that wants a login. */

let host: Host;
let registry: PrivateRegistry;
let folder = '';
let name = '';
const short = () => `${host.instance}/app:1`;

before(async () => {
  host = await createHost('29656-29659');
  registry = await openPrivateRegistry(host.docker, TEST_IMAGE);
  name = `${registry.address}/${short()}`;
  registry.publish(short(), 'a');
  folder = await mkdtemp(join(tmpdir(), 'hersh-logins-'));
  const { username, password } = registry.login;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  await writeFile(join(folder, 'mine.json'), JSON.stringify({ auths: { [registry.address]: { auth } } }));
  const from = ['--build-registries', registry.address];
  const args = [...from, '--docker-config-for', `e2e=${join(folder, 'mine.json')}`];
  await host.start({ args: [...args, '--docker-config', join(folder, 'none.json'), '--log-level', 'trace'] });
});

after(async () => {
  await host?.close();
  // By their digests, where their names moved on.
  for (const { Id, RepoDigests } of (await host?.docker.listImages()) ?? [])
    if (RepoDigests?.some((one) => one.startsWith(`${registry.address}/`)))
      await host.docker
        .getImage(Id)
        .remove({ force: true })
        .catch(() => {});
  await registry?.close();
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

const pulls = () => registry.given.filter((one) => one === short()).length;
const isRevision = (revision: number) => (program: { state: string; revision: number }) =>
  program.state === 'Ready' && program.revision === revision;

describe('an image of a private registry', { concurrency: false }, () => {
  it('is pulled for its user alone, anew at a restart and when asked, and for no heal', async () => {
    await host.writeManifest('other', { image: name, userId: 'somebody' });
    const refused = await host.untilError('other', 'ImageNotFound');
    assert.match(refused.error_msg, /none\.json is not used, since it can not be read \(ENOENT\)/);
    assert.ok((await host.events('other')).some(({ reason }) => reason === 'CredentialsUnavailable'));
    await host.call('DELETE', '/programs/other');

    await host.writeManifest('app', { image: name, pullPolicy: 'Always' });
    const one = await host.untilState('app', 'Ready');
    registry.publish(short(), 'b');
    const before = pulls();
    await host.docker.getContainer(one.container_id).remove({ force: true });
    const healed = await host.untilProgram(
      'app',
      'is healed',
      ({ state, container_id }) => state === 'Ready' && container_id !== one.container_id,
    );
    assert.deepEqual([healed.image_id, healed.revision, pulls()], [one.image_id, 1, before]);

    assert.equal((await host.call('POST', '/programs/app/restart')).status, 200);
    const second = await host.untilProgram('app', 'is the second image', isRevision(2));
    assert.notEqual(second.image_id, one.image_id);

    const same = await host.call('POST', '/programs/app/pull');
    assert.deepEqual([same.status, same.json.changed, same.json.image_id], [200, false, second.image_id]);
    registry.publish(short(), 'c');
    const other = await host.call('POST', '/programs/app/pull');
    assert.deepEqual([other.status, other.json.changed], [200, true], other.text);
    const third = await host.untilProgram('app', 'is the third image', isRevision(3));
    assert.equal(third.image_id, other.json.image_id);

    registry.publish(short(), undefined);
    assert.equal((await host.call('POST', '/programs/app/pull')).status, 502);
    assert.equal((await host.call('POST', '/programs/app/restart')).status, 200);
    await host.untilProgram('app', 'runs anew', ({ state, container_id }) => {
      return state === 'Ready' && container_id !== third.container_id;
    });
    const { image_id, revision, reason } = await host.get('app');
    assert.deepEqual([image_id, revision, reason], [third.image_id, 3, '']);
    const told = (await host.events('app')).filter((event) => event.reason === 'PullFailed');
    assert.deepEqual([told.length, told[0]?.type], [2, 'Warning']);
  });

  it('is a base for builds of that user', async () => {
    registry.publish(short(), 'd');
    await host.writeFile('sources/own/Dockerfile', `FROM ${name}\nLABEL run=${host.marker}-private\n`);
    await host.writeManifest('own', { build: { context: 'sources/own' }, pullPolicy: 'Always' });
    const { image_id } = await host.untilState('own', 'Ready');
    const { Config } = await host.docker.getImage(image_id).inspect();
    assert.equal(Config.Labels.version, 'd');
    const refused = await host.call('POST', '/programs/own/pull');
    assert.deepEqual([refused.status, /names no image/.test(refused.text)], [409, true]);
  });

  it('leaves its login nowhere: not in logs at trace, status, events, build logs or contexts', async () => {
    const { username, password } = registry.login;
    const isSecret = (text: string) => holdsPassword(text, password);
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const header = base64(JSON.stringify({ username, password, serveraddress: registry.address }));
    for (const form of [password, base64(`${username}:${password}`), header, `a/${header}`])
      assert.ok(isSecret(`{"said":"${form}"}`), 'it would be seen');
    assert.equal(isSecret(base64(`${username}:another-one`)), false);
    assert.equal(isSecret(host.child().stdout() + host.child().stderr()), false, 'the log');
    for (const entry of await readdir(host.registry, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) assert.equal(isSecret(await readFile(path, 'latin1')), false, path);
    }
  });
});
