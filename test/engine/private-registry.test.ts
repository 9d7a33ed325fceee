import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { BuildImage, Credentials, Engine } from '../../controller/engine/engine.ts';
import { AppError } from '../../schemas/errors.ts';
import { TEST_IMAGE } from '../setup/test-image.ts';
import { never } from './contract-kit.ts';
import { createDockerFixture, type DockerFixture, RUN_LABEL } from './docker-fixture.ts';
import { openPrivateRegistry, type PrivateRegistry } from './private-registry.ts';

/** A registry that takes nobody in without a login, in front of a real engine. */

let fixture: DockerFixture;
let engine: Engine;
let registry: PrivateRegistry;
let name = '';
/** Registries that credentials were asked for. */
const asked: string[] = [];

before(async () => {
  fixture = await createDockerFixture(29200);
  engine = fixture.engine();
  registry = await openPrivateRegistry(fixture.docker, TEST_IMAGE);
  name = `${registry.address}/${fixture.run}/app:1`;
  registry.publish(`${fixture.run}/app:1`, 'a');
});

after(async () => {
  await registry?.close();
  await fixture?.docker
    .getImage(name)
    .remove({ force: true })
    .catch(() => {});
  await fixture?.close();
});

const login: Credentials = async (of) => {
  asked.push(of);
  return of === registry.address ? { kind: 'password', ...registry.login } : undefined;
};
const wrong: Credentials = async () => ({ kind: 'password', username: 'robot', password: 'wr0ng-one' });
const refusal = async (doing: Promise<unknown>): Promise<AppError> => {
  const error: unknown = await doing.then(
    () => assert.fail('it was let in'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AppError);
  return error;
};
const build = async (more: Partial<BuildImage>, files: Record<string, string> = {}, signal = never) => {
  const whole = await buffer(fixture.context(`FROM ${name}\nLABEL built=${fixture.run}\n`, files)());
  const context: BuildImage['context'] = (range) =>
    Readable.from([range === undefined ? whole : whole.subarray(range.start, range.end + 1)]);
  const labels = { [RUN_LABEL]: fixture.run };
  const ask = { context, dockerfile: 'Dockerfile', args: {}, tag: fixture.tag('from'), labels, ...more };
  return engine.build(ask, (text) => (log += text), signal);
};
let log = '';

describe('a private registry', { concurrency: false }, () => {
  it('gives an image to a login, for a pull', async () => {
    assert.equal((await refusal(engine.pull(name, () => {}, never))).reason, 'ImageNotFound');
    const refused = await refusal(engine.pull(name, () => {}, never, wrong));
    assert.equal(refused.reason, 'ImageNotFound');
    const whole = `${refused.message} ${refused.hint} ${(refused.cause as Error | undefined)?.message}`;
    assert.doesNotMatch(whole, /wr0ng-one/);
    assert.equal(whole.includes(Buffer.from('robot:wr0ng-one').toString('base64')), false);
    const image = await engine.pull(name, () => {}, never, login);
    // Not by its labels: 28.5.2 with containerd's store tells none of an image that this registry gave.
    assert.deepEqual(await engine.inspectImage(name), image);
    assert.deepEqual(asked, [registry.address]);
  });

  it('gives a base image to a login, whichever way the context goes', async () => {
    for (const aside of [{}, { Dockerfile: 'laid-aside' }]) {
      await fixture.docker
        .getImage(name)
        .remove({ force: true })
        .catch(() => {});
      const files = { 'laid-aside': `FROM ${name}\nLABEL built=${fixture.run}\n` };
      const way = { aside, args: {}, pull: true };
      assert.equal((await refusal(build(way, files))).reason, 'BuildFailed');
      const refused = await refusal(build({ ...way, credentials: wrong }, files));
      assert.doesNotMatch(`${refused.message} ${log}`, /wr0ng-one/);
      const { labels } = await build({ ...way, credentials: login }, files);
      assert.equal(labels.version, 'a');
    }
  });

  it('gives away no password by what is hidden of a build: steps say what they are and print', async () => {
    const word = registry.login.password;
    const step = (more: string) => `RUN ["/busybox", "sh", "-c", "/busybox echo printed ${word}${more}"]`;
    const own = `FROM ${name}
LABEL built=${fixture.run}
COPY busybox /busybox
`;
    const of = { credentials: login, dockerfile: 'own', pull: true };
    log = '';
    await build(of, {
      own: `${own}${step('')}
`,
    });
    assert.match(log, new RegExp(`^#\\d+ printed ${word}$`, 'm'));
    assert.doesNotMatch(log, /\(secret\)/);
    const failed = await refusal(
      build(of, {
        own: `${own}${step('; exit 3')}
`,
      }),
    );
    assert.equal(failed.reason, 'BuildFailed');
    assert.doesNotMatch(log + failed.message, /\(secret\)/);
  });

  it('is not asked with what is looked up for nobody any more', async () => {
    const doings = {
      pull: (credentials: Credentials, signal: AbortSignal) =>
        engine.pull(name, () => {}, signal, credentials),
      build: (credentials: Credentials, signal: AbortSignal) =>
        build({ credentials, pull: true }, {}, signal),
    };
    for (const [what, doing] of Object.entries(doings)) {
      const abort = new AbortController();
      let isTold = false;
      // As a helper that never answers: what waits for it ends by the signal alone.
      const slow: Credentials = (_, signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => {
            isTold = true;
            resolve(undefined);
          });
          abort.abort();
        });
      assert.equal((await refusal(doing(slow, abort.signal))).reason, 'BuildAborted', what);
      assert.equal(isTold, true, what);
    }
  });

  it('is asked for a base image that is here only where that is wanted', async () => {
    await engine.pull(name, () => {}, never, login);
    registry.publish(`${fixture.run}/app:1`, 'b');
    // On containerd's store BuildKit asks anyway (28.5.2), on the older one it takes what is here (20.10.24).
    const { DriverStatus } = await fixture.docker.info();
    const asksAnyway = JSON.stringify(DriverStatus ?? []).includes('io.containerd.snapshotter');
    assert.equal((await build({ credentials: login })).labels.version, asksAnyway ? 'b' : 'a');
    assert.equal((await build({ credentials: login, pull: true })).labels.version, 'b');
  });
});
