import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { engineAddress } from './engine-address.ts';
import { ROOT } from './host-settings.ts';

/** The one that reads it, and those that are about the name itself or about an engine that is not there. */
const MAY_NAME_IT = [
  'setup/engine-address.test.ts',
  'setup/engine.ts',
  'controller/engine/docker/errors.test.ts',
];
/** Not the far side of a mount: in a container it has that name whichever engine the tests have. */
const LOCAL_SOCKET = /(?<!:|:\/var)\/run\/docker\.sock/;

describe('the engine of the tests', () => {
  it('is the one that DOCKER_HOST names', () => {
    assert.deepEqual(engineAddress('unix:///run/x.sock'), { path: '/run/x.sock' });
    assert.deepEqual(engineAddress('tcp://127.0.0.1:2375'), { host: '127.0.0.1', port: 2375 });
    assert.deepEqual(engineAddress('unix://'), { path: '/var/run/docker.sock' });
  });

  it('is named by its local socket in no other test', () => {
    assert.match('unix:///var/run/docker.sock', LOCAL_SOCKET);
    assert.match('/run/docker.sock:/run/docker.sock', LOCAL_SOCKET);
    assert.doesNotMatch('/run/other.sock:/var/run/docker.sock', LOCAL_SOCKET);
    const tests = join(ROOT, 'test');
    const naming = readdirSync(tests, { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.ts') && !MAY_NAME_IT.includes(path))
      .filter((path) => LOCAL_SOCKET.test(readFileSync(join(tests, path), 'utf8')));
    assert.deepEqual(naming, []);
  });
});
