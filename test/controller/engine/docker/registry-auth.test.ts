import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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
});
