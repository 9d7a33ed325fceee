import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ensureBaseImages } from '../setup/base-images.ts';
import { exampleFiles, withDefaults } from '../setup/example-files.ts';
import { createHost, type Host } from './host.ts';
import { until } from './until.ts';

/** The deployment guide, step by step, with its own requests and answers, over a socket and on the real engine. */

const RFC3339_MS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
/** What the guide's answer to GET has at least. */
const GUIDE_FIELDS = [
  ...['program_id', 'build_id', 'user_id', 'state', 'image_id', 'container_id'],
  ...['proxy_url', 'created_at', 'updated_at'],
];

/** The host's own limit of a build: compiling Go's library takes what the machine leaves it. */
const BUILD_MS_MAX = 5 * 60_000;

let host: Host;
let id = '';
let buildId = '';
let proxyUrl = '';

before(async () => {
  host = await createHost('29500-29509');
  await host.start();
});

after(() => host?.close());

/** The guide's payload: the Dockerfile apart, everything else by file name. */
async function payload(): Promise<{
  user_id: string;
  dockerfile: string;
  src_files: Record<string, string>;
}> {
  const bases = await ensureBaseImages(() => {}, host.docker, ['debian', 'go']);
  const { dockerfile, src_files } = exampleFiles('trading-sim');
  return {
    user_id: 'trading-user',
    dockerfile: withDefaults(dockerfile, bases.buildArgs),
    // Copied by no step of the Dockerfile: it makes the build one of this run and keeps the layers that are there.
    src_files: { ...src_files, 'run.txt': host.marker },
  };
}

describe('deploying as the guide says', { concurrency: false }, () => {
  it('step 3: POST /programs answers 201 with the guide’s body, and starts nothing', async () => {
    const { status, json, headers } = await host.call('POST', '/programs', await payload());
    assert.equal(status, 201);
    assert.deepEqual(Object.keys(json), ['program_id', 'build_id', 'state', 'proxy_url', 'created_at']);
    assert.equal(json.state, 'Created');
    assert.match(json.build_id, /^build-[0-9a-f]{12}$/);
    assert.match(json.program_id, new RegExp(`^trading-user-${json.build_id}-[0-9a-f]{8}$`));
    assert.match(json.proxy_url, /^http:\/\/localhost:295\d\d$/);
    assert.match(json.created_at, RFC3339_MS);
    assert.match(headers['content-type'] ?? '', /^application\/json/);
    ({ program_id: id, build_id: buildId, proxy_url: proxyUrl } = json);
    const program = await host.get(id);
    assert.deepEqual([program.state, program.container_id, program.image_id], ['Created', '', '']);
    assert.deepEqual(await host.containers(), []);
  });

  it('step 3: what needs a running program says so while it is Created', async () => {
    const restart = await host.call('POST', `/programs/${id}/restart`);
    assert.equal(restart.status, 404);
    assert.equal(restart.json.message, 'program not running');
    assert.equal((await host.call('GET', `/programs/${id}/proxy/watcher/status`)).status, 503);
    const stop = await host.call('POST', `/programs/${id}/stop`);
    assert.deepEqual([stop.status, stop.json], [200, lifecycle('Created', 'program is not running')]);
    const logs = await host.call('GET', `/programs/${id}/logs`);
    assert.deepEqual([logs.status, logs.json.logs, logs.json.container_id], [200, '', '']);
  });

  it('step 4: start answers with the state as it was', async () => {
    const { status, json } = await host.call('POST', `/programs/${id}/start`);
    assert.deepEqual([status, json], [200, lifecycle('Created', 'program start initiated')]);
  });

  it('step 5: polling sees it become Ready, and every state was passed in the guide’s order', async () => {
    const program = await until(
      'the program is Ready',
      async () => {
        const now = await host.get(id);
        assert.notEqual(now.state, 'Error', now.error_msg);
        return now.state === 'Ready' ? now : undefined;
      },
      async () => (await host.call('GET', `/programs/${id}/build-log`)).json.log,
      BUILD_MS_MAX,
    );
    for (const field of GUIDE_FIELDS) assert.ok(field in program, `${field} is in the answer`);
    assert.match(program.image_id, /^sha256:[0-9a-f]{64}$/);
    assert.match(program.container_id, /^[0-9a-f]{64}$/);
    assert.deepEqual([program.proxy_url, program.build_id], [proxyUrl, buildId]);
    assert.deepEqual([program.user_id, program.error_msg, program.reason], ['trading-user', '', '']);
    const seen = (await host.events(id)).map(({ state }) => state);
    const order = seen.filter((state, index) => state !== seen[index - 1]);
    assert.deepEqual(
      order.filter((state) => state !== 'Created'),
      [...['Building', 'Built', 'Starting', 'Running', 'Ready']],
    );
    const { json } = await host.call('GET', `/programs/${id}/build-log`);
    assert.match(json.log, /go build -o trading-sim/);
  });

  it('step 6: the WatcherAPI answers directly and through the proxy', async () => {
    const direct = await host.direct({ proxy_url: proxyUrl }, '/watcher/status');
    const proxied = await host.call('GET', `/programs/${id}/proxy/watcher/status`);
    for (const { status, json } of [direct, proxied]) {
      assert.equal(status, 200);
      assert.equal(json.isRunning, true);
      for (const field of ['state', 'watcherID', 'uptime', 'lastUpdate'])
        assert.equal(typeof json[field], 'string');
    }
    assert.equal(direct.json.watcherID, proxied.json.watcherID);
  });

  it('step 6: a message is taken, and its output is in the log of the container', async () => {
    const message = { method: 'POST', body: { content: 'status' } };
    const sent = await host.direct({ proxy_url: proxyUrl }, '/watcher/message', message);
    assert.deepEqual([sent.status, sent.json], [200, { status: 'message sent' }]);
    const proxied = await host.call('POST', `/programs/${id}/proxy/watcher/message`, { content: 'help' });
    assert.deepEqual([proxied.status, proxied.json], [200, { status: 'message sent' }]);
    const { container_id } = await host.get(id);
    await until('docker logs shows the summary and the help', async () => {
      const raw = await host.docker.getContainer(container_id).logs({ stdout: true, stderr: true, tail: 60 });
      return /📊 Quick Status Summary/.test(raw.toString()) && /portfolio/.test(raw.toString());
    });
    const { json } = await host.call('GET', `/programs/${id}/logs`);
    assert.equal(json.container_id, container_id);
    assert.match(json.logs, /📊 Quick Status Summary\n/);
    assert.ok(!/[\u0000-\u0008]/.test(json.logs), 'without the frames of the engine');
  });
});

describe('the rest of the API as the guide says', { concurrency: false }, () => {
  it('GET /programs lists and counts', async () => {
    const { json } = await host.call('GET', '/programs');
    assert.equal(json.count, 1);
    assert.deepEqual(json.programs, [await host.get(id)]);
  });

  it('restart runs it anew on the same port; the state stays a serving one', async () => {
    const before = await host.get(id);
    const { status, json } = await host.call('POST', `/programs/${id}/restart`);
    assert.deepEqual([status, json], [200, lifecycle('Ready', 'program restart initiated')]);
    const after = await host.untilProgram(
      id,
      'is Ready anew',
      ({ state, container_id }) => state === 'Ready' && container_id !== before.container_id,
    );
    assert.deepEqual([after.proxy_url, after.image_id], [before.proxy_url, before.image_id]);
    assert.equal(after.restart_count, 0, 'a restart by wish is not an automatic one');
    assert.equal((await host.direct(after, '/watcher/status')).status, 200);
  });

  it('start on a running one is refused with 409', async () => {
    const { status, json } = await host.call('POST', `/programs/${id}/start`);
    assert.deepEqual([status, json.error, json.code], [409, 'Conflict', 409]);
  });

  it('stop: Stopping, then Stopped; restart is then refused as in issue 5 of the guide', async () => {
    const { status, json } = await host.call('POST', `/programs/${id}/stop`);
    assert.deepEqual([status, json], [200, lifecycle('Stopping', 'program stop initiated')]);
    await host.untilState(id, 'Stopped');
    const restart = await host.call('POST', `/programs/${id}/restart`);
    assert.equal(restart.status, 404);
    assertError(restart.json, { error: 'Not Found', code: 404, message: 'program not running' });
    assert.equal((await host.call('GET', `/programs/${id}/proxy/watcher/status`)).status, 503);
    const again = await host.call('POST', `/programs/${id}/stop`);
    assert.deepEqual([again.status, again.json], [200, lifecycle('Stopped', 'program is not running')]);
  });

  it('start after a stop needs no build and gives the same port', async () => {
    const builds = (await host.events(id)).filter(({ state }) => state === 'Building').length;
    const { status, json } = await host.call('POST', `/programs/${id}/start`);
    assert.deepEqual([status, json], [200, lifecycle('Stopped', 'program start initiated')]);
    const program = await host.untilState(id, 'Ready');
    assert.equal(program.proxy_url, proxyUrl);
    assert.equal((await host.events(id)).filter(({ state }) => state === 'Building').length, builds);
  });

  it('GET source gives back what was sent', async () => {
    const { json } = await host.call('GET', `/programs/${id}/source`);
    const { dockerfile, src_files } = await payload();
    assert.deepEqual(json.files, { ...src_files, Dockerfile: dockerfile });
    assert.match(json.retrieved_at, RFC3339_MS);
  });

  it('the same body twice makes two programs of one build', async () => {
    const { json } = await host.call('POST', '/programs', await payload());
    assert.equal(json.build_id, buildId);
    assert.notEqual(json.program_id, id);
    assert.notEqual(json.proxy_url, proxyUrl);
    assert.equal((await host.call('DELETE', `/programs/${json.program_id}`)).status, 200);
    await host.untilGone(json.program_id);
  });

  it('delete: gone from GET at once, its container soon after', async () => {
    const { status, json } = await host.call('DELETE', `/programs/${id}`);
    assert.deepEqual([status, json], [200, { message: 'program deleted successfully' }]);
    const { status: then, json: body } = await host.call('GET', `/programs/${id}`);
    assert.equal(then, 404);
    assert.deepEqual([body.error, body.code], ['Not Found', 404]);
    assert.deepEqual((await host.call('GET', '/programs')).json, { programs: [], count: 0 });
    await host.untilGone(id);
    for (const method of ['start', 'stop', 'restart']) {
      assert.equal((await host.call('POST', `/programs/${id}/${method}`)).status, 404, method);
    }
    assert.equal((await host.call('DELETE', `/programs/${id}`)).status, 404);
  });

  it('refuses as issues 2 and 5 of the guide show', async () => {
    const upper = await host.call('POST', '/programs', { user_id: 'u', Dockerfile: 'FROM scratch' });
    assert.equal(upper.status, 400);
    assertError(upper.json, { error: 'Bad Request', code: 400, message: 'dockerfile is required' });
    const nobody = await host.call('POST', '/programs', { dockerfile: 'FROM scratch', src_files: {} });
    assert.equal(nobody.status, 400);
    assertError(nobody.json, { error: 'Bad Request', code: 400, message: 'user_id is required' });
  });
});

function lifecycle(state: string, message: string): object {
  return { program_id: id, state, message };
}

/** The guide's body exactly; a hint and details may stand beside it. */
function assertError(body: Record<string, unknown>, wanted: Record<string, unknown>): void {
  const { hint, details, ...rest } = body;
  assert.deepEqual(rest, wanted);
}
