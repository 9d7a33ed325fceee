import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RIGHTS } from '../../../api/access/routes.ts';
import { fakePage } from '../fake-page.ts';
import { fakeView } from '../fake-view.ts';
import { assertMatches, openapi } from '../openapi.ts';
import { ask, proxied, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';
import { bearer, fakeAccess } from './fake-access.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Of every route that is described: about that program, where it is about one. */
function* allRoutes(program: string): Generator<{ method: string; path: string; name: string }> {
  for (const [template, item] of Object.entries(openapi.paths)) {
    const path = template
      .replace('{id}', program)
      .replace('{revision}', '1')
      .replace('{path}', template.startsWith('/ui') ? 'programs' : 'x');
    for (const method of METHODS)
      if (item[method] !== undefined)
        yield { method: method.toUpperCase(), path, name: `${method.toUpperCase()} ${template}` };
  }
}

async function withTokens(t: TestContext) {
  const access = fakeAccess();
  const api = await serve(t, [fakeView('alices', { userId: 'alice' }), fakeView('bobs', { userId: 'bob' })], {
    access,
    pageFolder: fakePage(),
  });
  const [admin, viewer] = [access.make({ role: 'admin' }), access.make({ role: 'viewer' })];
  const alice = access.make({ role: 'user', userId: 'alice' });
  const as = (token: string, path: string, method = 'GET', json?: unknown) =>
    ask(api.port, path, {
      method,
      headers: { ...bearer(token), ...(json !== undefined && { 'Content-Type': 'application/json' }) },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
  return { api, access, admin, viewer, alice, as };
}

test('without a token nothing is told but what is for everybody, whatever the route', async (t) => {
  const { api } = await withTokens(t);
  for (const { method, path, name } of allRoutes('alices')) {
    const { status, headers, text } = await ask(api.port, path, { method });
    const isOpen = RIGHTS[name as keyof typeof RIGHTS] === 'open';
    const asksItself = ['POST /session', 'POST /hooks/git'].includes(name);
    if (isOpen && !asksItself) assert.notEqual(status, 401, name);
    if (isOpen) continue;
    assert.equal(status, 401, name);
    assert.equal(headers['www-authenticate'], 'Bearer realm="hersh-host"', name);
    assertMatches('#/components/schemas/Error', text, name);
  }
  assert.equal((await ask(api.port, '/no/such/route')).status, 401);
  assert.deepEqual(api.host.calls, []);
});

test('another user’s program is as one that is not there, whatever the route', async (t) => {
  const { api, alice, as } = await withTokens(t);
  for (const { method, path, name } of allRoutes('bobs')) {
    if (!name.includes('{id}')) continue;
    const of = async (at: string) => {
      const { status, text } = await as(alice.token, at, method);
      return { status, text: text.replaceAll(at.split('/')[2] ?? '', 'X') };
    };
    const found = await of(path);
    assert.equal(found.status, 404, name);
    if (name !== 'PUT /programs/{id}/manifest')
      assert.deepEqual(found, await of(path.replace('/bobs', '/nobodys')), name);
  }
  assert.deepEqual(api.host.calls, []);
});

test('a program of no single user is as one that is not there for users, and no free name', async (t) => {
  const { api, alice, admin, as } = await withTokens(t);
  api.host.put(fakeView('between', { userId: 'alice', owner: undefined }));
  for (const { method, path, name } of allRoutes('between'))
    if (name.includes('{id}')) assert.equal((await as(alice.token, path, method)).status, 404, name);
  for (const path of ['/programs', '/usage']) {
    assert.ok(!(await as(alice.token, path)).text.includes('between'), path);
    assert.ok((await as(admin.token, path)).text.includes('between'), path);
  }
  assert.equal((await as(admin.token, '/programs/between')).status, 200);
});

test('whoever deleted a program while it was paused can resume it, and does nothing else with the name', async (t) => {
  const { api, access, alice, as } = await withTokens(t);
  const bob = access.make({ role: 'user', userId: 'bob' });
  const resume = async (token: string) => (await as(token, '/programs/alices/resume', 'POST')).status;
  assert.equal((await as(alice.token, '/programs/alices/pause', 'POST')).status, 200);
  assert.equal((await as(alice.token, '/programs/alices', 'DELETE')).status, 200);
  assert.equal(await resume(alice.token), 404, 'nobody’s');
  api.host.deps.programs.leftBy = (name) => (name === 'alices' ? 'alice' : undefined);
  assert.equal(await resume(bob.token), 404);
  for (const { method, path, name } of allRoutes('alices')) {
    if (!name.includes('{id}') || name.endsWith('/resume') || name.startsWith('PUT')) continue;
    assert.equal((await as(alice.token, path, method)).status, 404, name);
  }
  assert.equal(await resume(alice.token), 200);
});

test('a path that is read in more than one way is nobody’s but the administrator’s', async (t) => {
  const { admin, alice, viewer, as } = await withTokens(t);
  for (const path of [
    '/programs/alices/../bobs',
    '/programs/alices/%2e%2e/bobs',
    '/ui/../programs',
    '/programs/./bobs',
  ]) {
    assert.equal((await as(alice.token, path)).status, 404, path);
    assert.equal((await as(viewer.token, path)).status, 404, path);
    assert.notEqual((await as(admin.token, path)).status, 401, path);
  }
});

test('lists hold what is one’s own', async (t) => {
  const { api, admin, alice, as } = await withTokens(t);
  const happened = {
    type: 'Normal' as const,
    reason: 'Ready',
    message: '',
    state: 'Ready' as const,
    revision: 1,
  };
  for (const name of ['alices', 'bobs'])
    api.host.emit(name, { ...happened, time: '2026-11-22T10:00:01.000Z' });
  const names = async (token: string, path: string, list: string) => {
    const body = JSON.parse((await as(token, path)).text) as Record<string, { program_id: string }[]>;
    return body[list]?.map(({ program_id }) => program_id);
  };
  for (const [path, list] of [
    ['/programs', 'programs'],
    ['/programs?state=Ready', 'programs'],
    ['/usage', 'programs'],
    ['/events', 'events'],
  ] as const) {
    assert.deepEqual(await names(admin.token, path, list), ['alices', 'bobs'], path);
    assert.deepEqual(await names(alice.token, path, list), ['alices'], path);
  }
  assert.deepEqual(await names(alice.token, '/programs?user_id=bob', 'programs'), []);
});

test('a program is made for oneself alone', async (t) => {
  const { alice, admin, viewer, as } = await withTokens(t);
  const create = async (token: string, user_id: string) =>
    (await as(token, '/programs', 'POST', { user_id, dockerfile: 'FROM scratch' })).status;
  assert.equal(await create(alice.token, 'alice'), 201);
  assert.equal(await create(alice.token, 'bob'), 403);
  assert.equal(await create(viewer.token, 'alice'), 403);
  assert.equal(await create(admin.token, 'bob'), 201);
});

test('who looks may not change, and what is of the whole host is not for users', async (t) => {
  const { viewer, alice, as } = await withTokens(t);
  assert.equal((await as(viewer.token, '/programs/bobs')).status, 200);
  assert.equal((await as(viewer.token, '/metrics')).status, 200);
  assert.equal((await as(viewer.token, '/programs/bobs/stop', 'POST')).status, 403);
  assert.equal((await as(alice.token, '/programs/alices/stop', 'POST')).status, 200);
  for (const path of ['/metrics', '/host', '/readyz'])
    assert.equal((await as(alice.token, path)).status, 403, path);
  assert.equal((await as(alice.token, '/registry/prune', 'POST')).status, 403);
});

test('tokens that are none are logged without the token, and after some are answered with when to come back', async (t) => {
  const { api, access, admin, as } = await withTokens(t);
  const { token } = access.make({ role: 'admin' });
  const wrong = `${token.slice(0, -4)}AAAA`;
  const statuses: number[] = [];
  let last = await as(wrong, '/programs');
  for (let i = 0; i < 30; i++) {
    last = await as(wrong, '/programs');
    statuses.push(last.status);
  }
  assert.deepEqual([...new Set(statuses)], [401, 429]);
  assert.ok(Number(last.headers['retry-after']) >= 1);
  const logged = JSON.stringify(api.host.logged);
  assert.match(logged, /127\.0\.0\.1/);
  assert.ok(!logged.includes(wrong.slice(20)));
  assert.ok(api.host.logged.length < 20, 'a flood of them is not a flood of lines');
  assert.equal((await as(admin.token, '/programs')).status, 200, 'whoever has one is let in all the same');
});

test('a stream ends when its token is taken away, and others go on', async (t) => {
  const { api, access, alice, admin } = await withTokens(t);
  const follow = async (token: string) => {
    const one = await rawConnection(t, api.port);
    one.socket.write(
      `GET /events?follow=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    await until(() => one.text().includes('event: synced'));
    return one;
  };
  const [hers, operators] = [await follow(alice.token), await follow(admin.token)];
  assert.ok(hers.text().includes('"alices"') && !hers.text().includes('bobs'));
  assert.ok(operators.text().includes('"bobs"'));
  access.revoke(alice.stored.id);
  await hers.ended;
  assert.ok(!operators.socket.destroyed);
  assert.equal((await ask(api.port, '/programs', { headers: bearer(alice.token) })).status, 401);
});

test('what a program serves: by token, or publicly where it and the operator say so', async (t) => {
  const of = async (
    userId: string,
    proxyAccess: 'public' | undefined,
    policy: Parameters<typeof fakeAccess>[0],
  ) => {
    const access = fakeAccess(policy);
    const { api } = await proxied(t, (_req, res) => res.end('hello'), {
      ...{ access, userId },
      ...(proxyAccess !== undefined && { proxyAccess }),
    });
    const alice = access.make({ role: 'user', userId: 'alice' }).token;
    const statusOf = async (headers: Record<string, string>) =>
      (await ask(api.port, '/programs/p1/proxy/x', { headers })).status;
    return [
      await statusOf({}),
      await statusOf(bearer(alice)),
      await statusOf({ Authorization: 'Bearer its-own' }),
    ];
  };
  assert.deepEqual(await of('alice', undefined, 'token'), [401, 200, 401]);
  assert.deepEqual(await of('bob', undefined, 'token'), [401, 404, 401]);
  assert.deepEqual(await of('bob', 'public', 'token'), [200, 200, 200]);
  assert.deepEqual(await of('bob', undefined, 'public'), [200, 200, 200]);
  assert.deepEqual(await of('alice', 'public', 'always-token'), [401, 200, 401]);
});

test('a program gets neither the token nor the session that let its client in, and what else is said to it', async (t) => {
  const access = fakeAccess();
  const { api, program } = await proxied(
    t,
    (_req, res) => res.setHeader('Set-Cookie', ['a=1', 'hersh_session_1=x; Path=/']).end(),
    { access, userId: 'alice', proxyAccess: 'public' },
  );
  const { token } = access.make({ role: 'admin' });
  const cookie = `hersh_session_${api.port}=abc`;
  for (const method of ['GET', 'POST']) {
    const headers = { ...bearer(token), Cookie: `a=1; ${cookie}; b=2`, 'X-Hersh-Session': 'key' };
    const answer = await ask(api.port, '/programs/p1/proxy/', { method, headers });
    assert.deepEqual(answer.headers['set-cookie'], ['a=1']);
    const seen = program.seen.at(-1)?.headers;
    assert.deepEqual(
      [seen?.authorization, seen?.cookie, seen?.['x-hersh-session']],
      [undefined, 'a=1; b=2', undefined],
    );
  }
  const own = { Authorization: 'Bearer its-own', Cookie: 'c=3' };
  await ask(api.port, '/programs/p1/proxy/', { headers: own });
  assert.equal(program.seen.at(-1)?.headers.authorization, own.Authorization);
  assert.equal(program.seen.at(-1)?.headers.cookie, own.Cookie);
});
