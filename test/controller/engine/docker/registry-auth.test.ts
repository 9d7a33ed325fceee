import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { besideDockerfile } from '../../../../controller/engine/docker/errors.ts';
import {
  authConfigOf,
  createSecrets,
  registryOf,
} from '../../../../controller/engine/docker/registry-auth.ts';
import { AppError } from '../../../../schemas/errors.ts';

describe('credentials on their way to the engine', () => {
  it('are those of the registry that a reference names', () => {
    const rows: [string, string][] = [
      ['busybox', 'docker.io'],
      ['busybox:1.36', 'docker.io'],
      ['shop/app:1', 'docker.io'],
      ['docker.io/library/busybox', 'docker.io'],
      ['registry.example/shop/app', 'registry.example'],
      ['registry.example:5000/app@sha256:00', 'registry.example:5000'],
      ['localhost/app', 'localhost'],
      ['127.0.0.1:5000/a/b/c:1', '127.0.0.1:5000'],
    ];
    for (const [reference, registry] of rows) assert.equal(registryOf(reference), registry, reference);
  });

  it('go as docker sends them', () => {
    const auth = { kind: 'password', username: 'me', password: 'x' } as const;
    const hub = 'https://index.docker.io/v1/';
    assert.deepEqual(authConfigOf(auth, 'docker.io'), { username: 'me', password: 'x', serveraddress: hub });
    const token = { identitytoken: 't', serveraddress: 'registry.example' };
    assert.deepEqual(authConfigOf({ kind: 'identity', token: 't' }, 'registry.example'), token);
  });

  it('do not come back in words, in whatever form a registry says them', async () => {
    const secrets = createSecrets();
    const given = secrets.noting(async () => ({ kind: 'password', username: 'me', password: 'p@ss/1' }));
    assert.equal(secrets.mask('p@ss/1'), 'p@ss/1', 'nothing was given away yet');
    await given('registry.example');
    const basic = Buffer.from('me:p@ss/1').toString('base64');
    const said = `denied: p@ss/1, Basic ${basic}, https://me:${encodeURIComponent('p@ss/1')}@registry.example`;
    const masked = secrets.maskedError(
      new AppError('ImageNotFound', said, { cause: new Error(said), hint: 'h' }),
    );
    assert.ok(masked instanceof AppError);
    assert.equal(masked.message, 'denied: (secret), Basic (secret), https://me:(secret)@registry.example');
    assert.deepEqual([masked.reason, masked.hint, masked.cause], ['ImageNotFound', 'h', undefined]);
  });

  it('do not come back beside the words either: in a cause, a hint, or an error that nobody foresaw', async () => {
    const secrets = createSecrets();
    const cause = Object.assign(new Error('the pull failed'), { body: 'p@ss/1' });
    const clean = new AppError('ImageNotFound', 'it could not be pulled', { cause, hint: 'try p@ss/1' });
    assert.equal(secrets.maskedError(clean), clean, 'nothing was given away yet');
    await secrets.noting(async () => ({ kind: 'password', username: 'me', password: 'p@ss/1' }))('any');
    assert.ok(inspect(clean).includes('p@ss/1'));
    for (const error of [clean, new Error('no p@ss/1 here', { cause })]) {
      const masked = secrets.maskedError(error);
      assert.ok(masked instanceof AppError);
      assert.equal(inspect(masked).includes('p@ss/1'), false);
    }
  });

  it('are looked up for as long as somebody waits', async () => {
    const { signal } = new AbortController();
    const given = createSecrets().noting(async (_, until) => {
      assert.equal(until, signal);
      return undefined;
    }, signal);
    assert.equal(await given('registry.example'), undefined);
  });

  it('are hidden whole, though the one of another registry is a part of them', async () => {
    const secrets = createSecrets();
    const words = new Map([
      ['a', 'secret'],
      ['b', 'my-secret+1'],
    ]);
    const given = secrets.noting(async (of) => ({ kind: 'identity', token: words.get(of) ?? '' }));
    await given('a');
    await given('b');
    assert.equal(secrets.mask('my-secret+1, secret'), '(secret), (secret)');
  });

  it('are not hidden in what a build repeats of its Dockerfile, where words could be tried out', () => {
    const mask = (text: string) => besideDockerfile(text, (said) => said.replaceAll('test', '(secret)'));
    // As 20.10 says it, 28.5 (the second), and both.
    for (const said of [
      'executor failed running [/bin/sh -c echo test; exit 3]: exit code: 3',
      'process "/bin/sh -c echo test" did not complete successfully: exit code: 3',
      'dockerfile parse error line 2: unknown instruction: TESTtest',
      'failed to compute cache key: "/test" not found: not found',
    ])
      assert.equal(mask(said), said);
    const said = 'pull access denied, test is wrong';
    assert.equal(mask(said), 'pull access denied, (secret) is wrong');
  });
});
