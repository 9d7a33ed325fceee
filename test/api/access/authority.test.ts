import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorityOf, type Verdict } from '../../../api/access/authority.ts';
import { proxyRouteOf, RIGHTS, type Right, type RouteName, routeOf } from '../../../api/access/routes.ts';
import type { TokenRole, Who } from '../../../schemas/token.ts';
import { openapi } from '../openapi.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const ROUTES = Object.entries(openapi.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method] !== undefined).map((method) => `${method.toUpperCase()} ${path}`),
);

const whoIs = (role: TokenRole): Who => ({
  ...{ id: '0123456789ab', name: 'n', role },
  userId: role === 'user' ? 'alice' : '',
});

test('every route that is described says what it asks of who calls it, and no other', () => {
  assert.deepEqual(Object.keys(RIGHTS).sort(), [...ROUTES].sort());
});

/** Of: nobody, an administrator, a viewer; a user about an own program, about another's, about none. */
const WANTED: Record<Right, [Verdict, Verdict, Verdict, Verdict, Verdict, Verdict]> = {
  open: ['allowed', 'allowed', 'allowed', 'allowed', 'allowed', 'allowed'],
  known: ['unknown', 'allowed', 'allowed', 'allowed', 'allowed', 'allowed'],
  read: ['unknown', 'allowed', 'allowed', 'allowed', 'absent', 'absent'],
  change: ['unknown', 'allowed', 'forbidden', 'allowed', 'absent', 'absent'],
  put: ['unknown', 'allowed', 'forbidden', 'allowed', 'absent', 'allowed'],
  create: ['unknown', 'allowed', 'forbidden', 'allowed', 'allowed', 'allowed'],
  'host-read': ['unknown', 'allowed', 'allowed', 'forbidden', 'forbidden', 'forbidden'],
  'host-change': ['unknown', 'allowed', 'forbidden', 'forbidden', 'forbidden', 'forbidden'],
  'proxy-read': ['unknown', 'allowed', 'allowed', 'allowed', 'absent', 'absent'],
  proxy: ['unknown', 'allowed', 'forbidden', 'allowed', 'absent', 'absent'],
};

for (const route of Object.keys(RIGHTS) as RouteName[]) {
  test(`who may ${route}`, () => {
    const user = whoIs('user');
    const found = [
      authorityOf(undefined, route, 'alice'),
      authorityOf(whoIs('admin'), route, 'bob'),
      authorityOf(whoIs('viewer'), route, 'bob'),
      authorityOf(user, route, 'alice'),
      authorityOf(user, route, 'bob'),
      authorityOf(user, route, undefined),
    ];
    assert.deepEqual(found, WANTED[RIGHTS[route]]);
  });
}

test('what changes anything is open to nobody who only looks, and what tells of programs to nobody without a token', () => {
  // They say themselves who they are for; what they read of the body changes nothing.
  const own = ['POST /hooks/git', 'POST /session', 'DELETE /session', 'POST /validate'];
  for (const route of (Object.keys(RIGHTS) as RouteName[]).filter((name) => !own.includes(name))) {
    if (!route.startsWith('GET '))
      assert.notEqual(authorityOf(whoIs('viewer'), route, 'bob'), 'allowed', route);
    if (route.includes('{id}')) {
      assert.equal(authorityOf(undefined, route, 'bob'), 'unknown', route);
      assert.equal(authorityOf(whoIs('user'), route, 'bob'), 'absent', route);
    }
  }
});

test('a program that is there and of no single user is the administrator’s, and no name that is free', () => {
  for (const route of Object.keys(RIGHTS) as RouteName[]) {
    if (!route.includes('{id}')) continue;
    assert.equal(authorityOf(whoIs('user'), route, undefined, false, true), 'absent', route);
    assert.equal(authorityOf(whoIs('admin'), route, undefined, false, true), 'allowed', route);
  }
});

test('a route that is in no table is the administrator’s', () => {
  const of = (who: Who | undefined) => authorityOf(who, undefined, 'alice');
  assert.equal(of(undefined), 'unknown');
  assert.equal(of(whoIs('admin')), 'allowed');
  assert.equal(of(whoIs('user')), 'absent');
  assert.equal(of(whoIs('viewer')), 'absent');
});

test('what a program serves publicly is for everybody, and nothing else of it', () => {
  for (const route of Object.keys(RIGHTS) as RouteName[]) {
    const isProxy = route.includes('/proxy/');
    const verdict = authorityOf(undefined, route, 'bob', true);
    assert.equal(verdict === 'allowed', isProxy || RIGHTS[route] === 'open', route);
    if (isProxy) assert.equal(authorityOf(whoIs('user'), route, 'bob', true), 'allowed', route);
  }
});

test('a path is told by its parts, with the program that it names', () => {
  for (const [method, path, name, program = ''] of [
    ['GET', '/', 'GET /'],
    ['HEAD', '/programs', 'GET /programs'],
    ['GET', '/programs/', 'GET /programs'],
    ['POST', '/programs/a.b_c/stop/', 'POST /programs/{id}/stop', 'a.b_c'],
    ['GET', '/programs/%61b', 'GET /programs/{id}', 'ab'],
    ['GET', '/programs/%2561b', 'GET /programs/{id}', '%61b'],
    ['GET', '/programs/x/revisions/3/files', 'GET /programs/{id}/revisions/{revision}/files', 'x'],
    ['GET', '/ui/programs/x', 'GET /ui/{path}'],
    ['GET', '/docs/style.css', 'GET /docs/style.css'],
    ['PATCH', '/programs/x', undefined],
    ['GET', '/programs//logs', undefined],
    ['GET', '/programs/x/nothing', undefined],
    ['OPTIONS', '/programs', undefined],
    ['GET', '/uix', undefined],
  ] as const) {
    assert.deepEqual(routeOf(method, path), { name, program }, `${method} ${path}`);
  }
});

test('any method may go to a program, and what is not known to be a look counts as none', () => {
  assert.equal(proxyRouteOf('HEAD'), 'GET /programs/{id}/proxy/{path}');
  for (const method of ['PROPFIND', 'OPTIONS', 'constructor'])
    assert.equal(RIGHTS[proxyRouteOf(method)], 'proxy', method);
});
