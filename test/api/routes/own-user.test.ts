import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseForeignManifest } from '../../../api/routes/own-user.ts';
import type { TokenRole, Who } from '../../../schemas/token.ts';
import { bearer, fakeAccess } from '../access/fake-access.ts';
import { fakeView } from '../fake-view.ts';
import { ask, serve } from '../socket.ts';

const manifest = (name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'hersh.dev/v1', kind: 'Program', metadata: { name }, spec });

const MANIFESTS = new Map([
  ['alices', manifest('alices', { userId: 'alice', build: { context: 'sources/a' } })],
  ['bobs', manifest('bobs', { userId: 'bob', build: { context: 'sources/b' } })],
  // Its manifest gives it away, and nothing has come of that yet.
  ['given', manifest('given', { userId: 'bob', build: { context: 'sources/given' } })],
]);

const programs = {
  list: () => [
    fakeView('alices', { userId: 'alice' }),
    fakeView('bobs', { userId: 'bob' }),
    fakeView('given', { userId: 'alice' }),
  ],
  manifest: (name: string) => ({ text: MANIFESTS.get(name) ?? '', etag: '' }),
};

const whoIs = (role: TokenRole): Who => ({ id: '', name: '', role, userId: role === 'user' ? 'alice' : '' });

test('a manifest of a user names that user, sources that are theirs already, and no image of this host', () => {
  for (const [spec, words] of [
    [{ userId: 'alice', build: { context: 'sources/a' } }, undefined],
    [{ userId: 'alice', build: { context: './sources//a/' } }, undefined],
    [{ userId: 'alice', image: 'nginx:1' }, undefined],
    [{ userId: 'bob', image: 'nginx:1' }, /spec\.userId must be alice/],
    [{ userId: 'alice', build: { context: 'sources/b' } }, /spec\.build\.context must be/],
    [{ userId: 'alice', build: { context: 'sources/given' } }, /spec\.build\.context must be/],
    [{ userId: 'alice', build: { context: 'programs' } }, /spec\.build\.context must be/],
    [{ userId: 'alice', build: { context: '.' } }, /spec\.build\.context must be/],
    [{ userId: 'alice', image: 'hersh/build-0123456789ab' }, /spec\.image must be/],
    [{ userId: 'alice', image: 'index.docker.io/hersh/build-0123456789ab' }, /spec\.image must be/],
    [{ userId: 'alice', image: `sha256:${'0'.repeat(64)}` }, /spec\.image must be/],
    [{ userId: 'alice', image: '0123456789ab' }, /spec\.image must be/],
    [{ userId: 'alice', image: 'library/cafe' }, undefined],
    [{ userId: 'alice' }, /not valid/],
  ] as const) {
    const check = (role: TokenRole) => () =>
      refuseForeignManifest(whoIs(role), programs, 'new', manifest('new', spec));
    if (words === undefined) check('user')();
    else assert.throws(check('user'), { message: words }, JSON.stringify(spec));
    check('admin')();
  }
});

test('PUT of a manifest is refused before anything is written, also as a dry run', async (t) => {
  const access = fakeAccess();
  const api = await serve(t, [fakeView('alices', { userId: 'alice' })], { access });
  const headers = {
    ...bearer(access.make({ role: 'user', userId: 'alice' }).token),
    'Content-Type': 'application/yaml',
  };
  const put = (query: string, userId: string) =>
    ask(api.port, `/programs/new${query}`, {
      method: 'PUT',
      headers,
      body: manifest('new', { userId, image: 'nginx:1' }),
    });
  assert.equal((await put('/manifest', 'bob')).status, 403);
  assert.equal((await put('/manifest?dry_run=true', 'bob')).status, 403);
  assert.deepEqual(api.host.calls, []);
  const seen: boolean[] = [];
  const { dryRun } = api.host.deps;
  api.host.deps.dryRun = (name, text, sees) => {
    seen.push(sees('alice'), sees('bob'));
    return dryRun(name, text, sees);
  };
  assert.equal((await put('/manifest?dry_run=true', 'alice')).status, 200);
  assert.deepEqual(seen, [true, false], 'what is compared with is their own');
  for (const [left, status] of [
    ['bob', 409],
    ['', 409],
    ['alice', 200],
  ] as const) {
    api.host.deps.programs.leftBy = () => left;
    const [dry, wet] = [
      await put('/manifest?dry_run=true', 'alice'),
      left !== 'alice' && (await put('/manifest', 'alice')),
    ];
    assert.equal(dry.status, status, 'of another’s, under that name, not all is gone');
    if (wet) assert.deepEqual([wet.status, /bob/.test(wet.text)], [409, false]);
  }
  assert.equal((await put('/manifest', 'alice')).status, 201);
});
