import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { lower } from '../../../../controller/engine/docker/api-version.ts';
import { connect } from '../../../../controller/engine/docker/client.ts';
import { isUnavailable } from '../../../../controller/engine/docker/errors.ts';

/** An engine that speaks up to a version, and down to one. Gives the paths it was asked for. */
async function engineOf(test: TestContext, speaks: { newest: string; oldest: string }) {
  const asked: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '';
    asked.push(path);
    response.setHeader('content-type', 'application/json');
    if (path === '/_ping') return void response.setHeader('api-version', speaks.newest).end('OK');
    const version = /^\/v([\d.]+)\//.exec(path)?.[1] ?? '';
    // The words of 28.5.2.
    if (lower(version, speaks.oldest) !== speaks.oldest) {
      const message = `client version ${version} is too old. Minimum supported API version is ${speaks.oldest}, please upgrade your client to a newer version`;
      response.statusCode = 400;
      return void response.end(JSON.stringify({ message }));
    }
    response.end('{}');
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connection = connect(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
  test.after(() => {
    connection.cut();
    server.close();
    server.closeAllConnections();
  });
  return { asked, connection };
}

describe('the version that calls name', () => {
  for (const [newest, named] of [
    ['1.41', '1.41'],
    ['1.51', '1.51'],
    ['1.54', '1.51'],
    ['2.0', '1.51'],
  ] as const) {
    it(`is ${named} on an engine of ${newest}, asked for once`, async (test) => {
      const { asked, connection } = await engineOf(test, { newest, oldest: '1.24' });
      await connection.look.info();
      await connection.quick.info();
      const { docker, close } = connection.disposable();
      await docker.ping();
      await docker.info();
      close();
      const calls = ['/_ping', `/v${named}/info`, `/v${named}/info`, '/_ping', `/v${named}/info`];
      assert.deepEqual(asked, calls);
    });
  }

  it('is none on an engine that names none', async (test) => {
    const { asked, connection } = await engineOf(test, { newest: '', oldest: '' });
    await connection.look.info();
    assert.deepEqual(asked, ['/_ping', '/info']);
  });

  it('is asked for anew where another engine has taken the place, which is no refusal', async (test) => {
    const speaks = { newest: '1.41', oldest: '1.24' };
    const { asked, connection } = await engineOf(test, speaks);
    await connection.look.info();
    Object.assign(speaks, { newest: '1.52', oldest: '1.44' });
    await assert.rejects(connection.look.info(), (error) => isUnavailable(error));
    await connection.look.info();
    assert.deepEqual(asked, ['/_ping', '/v1.41/info', '/v1.41/info', '/_ping', '/v1.51/info']);
  });
});

describe('lower', () => {
  it('compares numbers, not digits', () => {
    assert.equal(lower('1.9', '1.10'), '1.9');
    assert.equal(lower('1.51', '1.41'), '1.41');
    assert.equal(lower('nonsense', '1.41'), '');
  });
});
