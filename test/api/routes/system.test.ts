import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError, REASONS, type Reason } from '../../../schemas/errors.ts';
import { caller } from '../call.ts';
import { CREATED_AT, fakeView } from '../fake-view.ts';
import { openapi } from '../openapi.ts';

/** What its query means is its own to say. */
const isOfPage = (path: string) => /^\/(ui|$)/.test(path);

test('healthz, readyz, metrics, openapi.json and prune', async () => {
  const { host, call } = caller();
  assert.deepEqual((await call('GET', '/healthz')).json, { status: 'ok' });
  host.health.warnings = ['pruning is paused'];
  assert.deepEqual((await call('GET', '/readyz')).json, { status: 'ready', warnings: ['pruning is paused'] });
  const metrics = await call('GET', '/metrics');
  assert.equal(metrics.text, 'up 1\n');
  assert.equal(metrics.headers.get('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.deepEqual((await call('GET', '/openapi.json')).json, JSON.parse(JSON.stringify(openapi)));
  const prune = await call('POST', '/registry/prune');
  assert.deepEqual(prune.json, { message: 'prune confirmed', programs: ['gone-1', 'gone-2'] });
  for (const only of ['programs', 'strays'])
    assert.equal((await call('POST', `/registry/prune?only=${only}`)).status, 200);
  assert.equal((await call('POST', '/registry/prune?only=all')).status, 400);
  assert.deepEqual(host.calls, ['prune both', 'prune programs', 'prune strays']);
});

test('readyz says why not, without filling the log', async () => {
  const { host, call } = caller();
  host.health = { ready: false, reason: 'EngineUnavailable', message: 'no answer', warnings: ['and this'] };
  const answer = await call('GET', '/readyz');
  assert.deepEqual(answer.json, {
    error: 'Service Unavailable',
    code: 503,
    message: 'EngineUnavailable: no answer',
    details: [{ path: '', message: 'and this' }],
  });
  assert.deepEqual(host.logged, []);
});

test('unknown routes are 404 with the uniform body', async () => {
  const { call } = caller([fakeView('p1')]);
  for (const path of [
    '/',
    '/program',
    '/programs//',
    '//programs',
    '/programs/p1/nothing',
    '/programs/p1/start/x',
    '/%',
  ]) {
    const answer = await call('GET', path);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.json.error, 'Not Found');
    assert.equal(answer.json.code, 404);
  }
});

test('one slash at the end of a path is passed over', async () => {
  const { call } = caller([fakeView('p1')]);
  for (const path of ['/programs/', '/programs/?user_id=my-user', '/programs/p1/', '/healthz/']) {
    assert.equal((await call('GET', path)).status, 200, path);
  }
  assert.equal((await call('GET', '/programs/')).json.count, 1);
});

test('a query parameter that no route knows is refused with the nearest, on every route, and those that are known are not', async () => {
  const { call } = caller([fakeView('p1')]);
  for (const [path, item] of Object.entries(openapi.paths)) {
    if (path.includes('/proxy') || isOfPage(path)) continue;
    for (const method of ['get', 'post', 'put', 'delete']) {
      const operation = item[method] as { parameters?: { in?: string; name?: string; $ref?: string }[] };
      if (operation === undefined) continue;
      const known = (operation.parameters ?? [])
        .map((one) => (one.$ref === '#/components/parameters/Follow' ? { in: 'query', name: 'follow' } : one))
        .filter((one) => one.in === 'query')
        .map(({ name }) => name ?? '');
      const answer = await call(
        method.toUpperCase(),
        `${path.replace('{id}', 'p1').replace('{revision}', '1')}?zzzzzzzzzz=1`,
      );
      assert.equal(answer.status, 400, `${method} ${path}`);
      const told = /(?:known (?:is|are) (.*)|this route takes none)$/.exec(String(answer.json.message));
      assert.ok(told, String(answer.json.message));
      assert.deepEqual((told[1] ?? '').split(', ').filter(Boolean).sort(), known.sort(), `${method} ${path}`);
    }
  }
  for (const [query, wanted] of [
    ['/programs?userid=x', 'userid is not a known query parameter; did you mean user_id?'],
    ['/programs/p1/logs?tial=5', 'tial is not a known query parameter; did you mean tail?'],
    ['/programs/p1/logs?tail=5&Follow=1', 'Follow is not a known query parameter; did you mean follow?'],
  ] as const) {
    assert.equal((await call('GET', query)).json.message, wanted);
  }
});

test('known routes with another method are 405 with Allow', async () => {
  const { call } = caller([fakeView('p1')]);
  for (const [method, path, allow] of [
    ['PUT', '/programs', 'GET, HEAD, POST'],
    ['PATCH', '/programs/p1', 'GET, HEAD, DELETE'],
    ['GET', '/programs/p1/start', 'POST'],
    ['HEAD', '/programs/p1/stop', 'POST'],
    ['DELETE', '/programs/p1/logs', 'GET, HEAD'],
    ['POST', '/programs/p1/manifest', 'GET, HEAD, PUT'],
    ['OPTIONS', '/healthz', 'GET, HEAD'],
    ['GET', '/registry/prune', 'POST'],
  ] as const) {
    const answer = await call(method, path);
    assert.equal(answer.status, 405, `${method} ${path}`);
    assert.equal(answer.headers.get('Allow'), allow);
    if (method !== 'HEAD') assert.equal(answer.json.error, 'Method Not Allowed');
  }
});

test('HEAD goes with every GET', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.manifests.set('p1', 'x');
  for (const [path, item] of Object.entries(openapi.paths)) {
    // For who does not ask for HTML there is nothing at the root.
    if (item.get === undefined || path.includes('{path}') || path === '/') continue;
    const answer = await call('HEAD', path.replace('{id}', 'p1').replace('{revision}', '1'));
    assert.deepEqual([answer.status, answer.text], [200, ''], path);
  }
});

test('every reason has its status and the uniform body', async () => {
  for (const [reason, { http }] of Object.entries(REASONS) as [Reason, { http: number }][]) {
    const { host, call } = caller([fakeView('p1')]);
    host.deps.programs.source = async () => {
      throw new AppError(reason, 'what is wrong', {
        hint: 'what to do',
        details: [{ path: 'a', message: 'b' }],
      });
    };
    const answer = await call('GET', '/programs/p1/source');
    assert.equal(answer.status, http, reason);
    const { error, ...rest } = answer.json;
    assert.equal(typeof error, 'string');
    assert.deepEqual(rest, {
      code: http,
      message: 'what is wrong',
      hint: 'what to do',
      details: [{ path: 'a', message: 'b' }],
    });
  }
});

test('a bug is 500, tells the caller nothing of itself, and is logged', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.deps.programs.source = async () => {
    throw new TypeError('secret is undefined');
  };
  const answer = await call('GET', '/programs/p1/source');
  assert.equal(answer.status, 500);
  assert.equal(answer.json.message, 'internal error');
  assert.doesNotMatch(answer.text, /secret/);
  assert.equal(host.logged.length, 1);
  assert.match(String(Object.values(host.logged[0]?.fields ?? {})[0]), /secret/);
});

test('own answers are not stored and not sniffed', async () => {
  const { call } = caller([fakeView('p1')]);
  for (const path of ['/programs', '/programs/p1', '/nothing', '/programs/p1/logs']) {
    const { headers } = await call('GET', path);
    assert.equal(headers.get('Cache-Control'), 'no-store');
    assert.equal(headers.get('X-Content-Type-Options'), 'nosniff');
  }
});

test('openapi.json documents every route the app has, and no other', async () => {
  const { call } = caller([fakeView('p1')]);
  for (const [path, item] of Object.entries(openapi.paths)) {
    if (path.includes('/proxy/')) continue;
    const documented = Object.keys(item).filter((key) =>
      ['get', 'post', 'put', 'delete', 'patch'].includes(key),
    );
    const { headers } = await call('OPTIONS', path.replace('{id}', 'p1').replace('{revision}', '1'));
    const served = (headers.get('Allow') ?? '').split(', ').filter((method) => method !== 'HEAD');
    assert.deepEqual(served.map((method) => method.toLowerCase()).sort(), documented.sort(), path);
  }
});

test('GET /host gives the host at a glance, with all that may stand in it', async () => {
  const { host, call } = caller();
  assert.deepEqual((await call('GET', '/host')).json, host.view);
  const since = CREATED_AT;
  host.view = {
    ...host.view,
    warnings: [{ code: 'PrunePaused', message: 'm', names: ['a'], confirm: 'programs', since }],
    engine: { message: 'no answer', version: null, runtimes: null, default_runtime: 'runsc' },
    git: {
      ...{ head: 'abc', branch: 'main', operation: 'merge' },
      remote: { url: 'u', branch: 'main', reason: 'RemoteDiverged', message: 'm' },
    },
    disk: { looked_at: since, kinds: [{ kind: 'volume', count: 2, bytes: null }] },
    users: [{ user_id: 'ann', programs: 1, down: 1, memory_limit_bytes: 1, cpu_limit: 0.5 }],
    strays: [{ name: 'c', program: 'p', message: '' }],
    work: { ...host.view.work, images: [{ key: 'busybox', programs: ['p'], running: true }] },
  };
  assert.deepEqual((await call('GET', '/host')).json, host.view);
});
