import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { createDockerEngine } from '../../../../controller/engine/docker/docker.ts';
import { LABELS } from '../../../../schemas/program.ts';
import { fixedIdentity } from '../../../setup/registry-identity.ts';
import { specOf } from '../../program/situation-fixture.ts';
import { inspectedOf } from './inspected-b8c6c15.ts';

const CONTAINER = 'a'.repeat(64);
const SANDBOX = 'b'.repeat(64);

/** An engine that says of its container what is given, does what is asked, and writes down the calls. */
async function engineOf(test: TestContext, isJoined: boolean) {
  const plain = inspectedOf(specOf(), 'key');
  const found = {
    ...{ ...plain, Id: CONTAINER },
    State: { ...plain.State, Status: 'exited', Running: false },
    HostConfig: { ...plain.HostConfig, ...(isJoined && { NetworkMode: `container:${SANDBOX}` }) },
    Config: {
      ...plain.Config,
      Labels: { ...plain.Config.Labels, ...(isJoined && { [LABELS.sandboxPort]: '19001' }) },
    },
  };
  const calls: string[] = [];
  const server = createServer(({ method, url = '' }, response) => {
    const path = url.replace(/^\/v[0-9.]+/, '').replace('/containers/', '');
    if (path === '/_ping') response.setHeader('api-version', '1.41');
    else calls.push(`${method} ${path.replaceAll(CONTAINER, 'P').replaceAll(SANDBOX, 'S')}`);
    if (method === 'GET') response.end(JSON.stringify(found));
    else response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const log = { debug() {}, info() {}, warn() {} };
  const dockerHost = `tcp://127.0.0.1:${port}`;
  const engine = createDockerEngine({ dockerHost, instance: 't', registry: fixedIdentity(), log });
  return { engine, calls };
}

describe('what the engine is asked for a start and an unpause', () => {
  it('is no more than these, where a look has shown that the container joins no sandbox', async (test) => {
    const { engine, calls } = await engineOf(test, false);
    await engine.inspectContainer(CONTAINER);
    assert.equal(await engine.startContainer(CONTAINER), 'started');
    await engine.unpauseContainer(CONTAINER);
    assert.deepEqual(calls, ['GET P/json', 'POST P/start', 'POST P/unpause']);
  });

  it('is what it joins, where that is one or is not known yet', async (test) => {
    const joined = await engineOf(test, true);
    await joined.engine.inspectContainer(CONTAINER);
    await joined.engine.startContainer(CONTAINER);
    assert.deepEqual(joined.calls.slice(2), ['GET P/json', 'GET S/json', 'POST S/start', 'POST P/start']);
    const unknown = await engineOf(test, false);
    await unknown.engine.startContainer(CONTAINER);
    assert.deepEqual(unknown.calls, ['GET P/json', 'POST P/start']);
  });
});
