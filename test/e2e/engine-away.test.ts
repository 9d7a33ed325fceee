import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createEngineRelay, type EngineRelay } from './engine-relay.ts';
import { createHost, type Host, type Program } from './host.ts';
import { until } from './until.ts';

/** A host whose engine is not there yet, comes, goes and comes back. The engine itself is never touched. */

let host: Host;
let relay: EngineRelay;

before(async () => {
  host = await createHost('29670-29679');
  relay = createEngineRelay();
});

after(async () => {
  await relay?.close();
  await host?.close();
});

const complaints = () => host.log().filter(({ msg }) => msg?.startsWith('the engine does not answer'));
const away = ({ conditions }: Program) => conditions.find(({ type }) => type === 'EngineUnavailable');

describe('the engine', { concurrency: false }, () => {
  it('is not there: the host starts, says so on /readyz and in one log line, and serves its API', async () => {
    await host.start({ env: { DOCKER_HOST: relay.url }, ready: false });
    const told = await until('/readyz says why', async () => {
      const { status, json } = await host.call('GET', '/readyz');
      return status === 503 && complaints().length > 0 ? json : undefined;
    });
    assert.deepEqual([told.error, told.code], ['Service Unavailable', 503]);
    assert.match(told.message, /engine does not answer: .*none\.sock/);
    assert.equal((await host.call('GET', '/healthz')).status, 200);
    const dockerfile = `FROM hersh-test/server\nLABEL run=${host.marker}`;
    const { status, json } = await host.call('POST', '/programs', { user_id: 'e2e', dockerfile });
    assert.equal(status, 201);
    assert.equal((await host.call('POST', `/programs/${json.program_id}/start`)).status, 200);
    const program = await host.untilProgram(
      json.program_id,
      'says that the engine is away',
      (p) => away(p) !== undefined,
    );
    assert.equal(program.state, 'Building', 'what was asked for');
    assert.equal((await host.call('GET', `/programs/${json.program_id}/proxy/`)).status, 503);
    await host.writeManifest('waiting');
    await host.untilProgram('waiting', 'is known', () => true);
    assert.equal(complaints().length, 1);
  });

  it('comes: work is taken up, what was asked for meanwhile included', async () => {
    await relay.open();
    await until('the host is ready', async () => (await host.call('GET', '/readyz')).status === 200);
    const { json } = await host.call('GET', '/programs');
    assert.equal(json.count, 2);
    for (const { program_id } of json.programs) {
      const program = await host.untilState(program_id, 'Ready');
      assert.equal(away(program), undefined);
    }
    assert.equal(complaints().length, 1);
  });

  it('goes: programs serve on, directly and through the proxy; their state stays what was last known', async () => {
    const before = await host.get('waiting');
    await relay.cut();
    const told = await host.untilProgram('waiting', 'says so', (p) => away(p)?.status === 'True');
    assert.deepEqual([told.state, told.container_id], ['Ready', before.container_id]);
    assert.equal((await host.call('GET', '/readyz')).status, 503);
    assert.equal((await host.direct(told, '/watcher/status')).status, 200);
    assert.equal((await host.call('GET', '/programs/waiting/proxy/watcher/status')).status, 200);
    assert.equal((await host.call('GET', '/programs/waiting/logs')).status, 503);
    assert.equal(complaints().length, 2, 'one line for each absence');
    await host.docker.getContainer(before.container_id).kill();
  });

  it('comes back: what happened meanwhile is seen, and nothing else is disturbed', async () => {
    const { json } = await host.call('GET', '/programs');
    const still = json.programs.find(({ program_id }: Program) => program_id !== 'waiting');
    await relay.open();
    const after = await host.untilProgram(
      'waiting',
      'runs again',
      (p) => p.restart_count === 1 && p.state === 'Ready',
    );
    assert.equal(away(after), undefined);
    const then = await host.get(still.program_id);
    assert.deepEqual([then.container_id, then.restart_count], [still.container_id, 0]);
    assert.equal((await host.call('GET', '/readyz')).status, 200);
  });

  it('is away while the host ends and starts: it ends in time, and adopts when the engine is back', async () => {
    const before = await host.get('waiting');
    await relay.cut();
    assert.equal(await host.stop(), 0);
    await host.start({ env: { DOCKER_HOST: relay.url }, ready: false });
    const told = await host.get('waiting');
    assert.deepEqual([told.state, told.container_id], ['Running', before.container_id], 'last known');
    const ready = told.conditions.find(({ type }) => type === 'Ready');
    assert.deepEqual([ready?.status, ready?.reason], ['Unknown', 'NotYetObserved']);
    await relay.open();
    await until('the host is ready', async () => (await host.call('GET', '/readyz')).status === 200);
    const after = await host.untilState('waiting', 'Ready');
    assert.deepEqual([after.container_id, after.restart_count], [before.container_id, before.restart_count]);
  });
});
