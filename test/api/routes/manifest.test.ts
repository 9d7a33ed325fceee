import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../schemas/errors.ts';
import { type Answer, type Caller, caller } from '../call.ts';
import { fakeView } from '../fake-view.ts';

const yaml = 'apiVersion: hersh.dev/v1 # kept\n';

function put(
  call: Caller['call'],
  headers: Record<string, string> = {},
  path = '/programs/p1/manifest',
): Promise<Answer> {
  return call('PUT', path, { body: yaml, headers: { 'Content-Type': 'application/yaml', ...headers } });
}

test('GET gives the text as it stands, with a strong quoted ETag', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.manifests.set('p1', yaml);
  const answer = await call('GET', '/programs/p1/manifest');
  assert.equal(answer.text, yaml);
  assert.equal(answer.headers.get('Content-Type'), 'application/yaml');
  const etag = answer.headers.get('ETag') ?? '';
  assert.match(etag, /^"[0-9a-f]{16}"$/);
  const again = await call('GET', '/programs/p1/manifest', {
    headers: { 'If-None-Match': `W/"x", ${etag}` },
  });
  assert.equal(again.status, 304);
  assert.equal((await call('GET', '/programs/nobody/manifest')).status, 404);
});

test('PUT creates without If-Match', async () => {
  const { host, call } = caller();
  const answer = await put(call);
  assert.equal(answer.status, 201);
  assert.deepEqual(answer.json, { program_id: 'p1', created: true, message: 'program created' });
  assert.equal(host.manifests.get('p1'), yaml);
  assert.match(answer.headers.get('ETag') ?? '', /^".+"$/);
});

test('PUT replaces only what the caller has seen', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.manifests.set('p1', 'old');
  assert.equal((await put(call)).status, 412);
  assert.equal((await put(call, { 'If-Match': '"stale"' })).status, 412);
  const etag = (await call('GET', '/programs/p1/manifest')).headers.get('ETag') ?? '';
  assert.equal((await put(call, { 'If-Match': `W/${etag}` })).status, 412);
  assert.equal((await put(call, { 'If-Match': etag.slice(1, -1) })).status, 412);
  assert.equal(host.manifests.get('p1'), 'old');
  const answer = await put(call, { 'If-Match': `"other", ${etag}` });
  assert.deepEqual([answer.status, answer.json.created], [200, false]);
  assert.equal(host.manifests.get('p1'), yaml);
  assert.equal((await put(call, { 'If-Match': etag })).status, 412);
  assert.equal((await put(call, { 'If-Match': '*' })).status, 200);
});

test('PUT with If-Match where there is nothing is 412', async () => {
  const { call } = caller();
  assert.equal((await put(call, { 'If-Match': '*' })).status, 412);
  assert.equal((await put(call, { 'If-Match': '"x"' })).status, 412);
});

test('a create that somebody else wins is 412 too, and a wrong name 409', async () => {
  const { host, call } = caller();
  host.failures.set('putManifest', new AppError('Conflict', 'metadata.name is other, the path says p1'));
  const wrong = await put(call);
  assert.equal(wrong.status, 409);
  assert.match(String(wrong.json.message), /metadata\.name/);
  host.deps.programs.putManifest = async () => {
    host.manifests.set('p1', 'theirs');
    throw new AppError('Conflict', 'it exists');
  };
  assert.equal((await put(call)).status, 412);
});

test('an invalid manifest is 400 with file, line and column', async () => {
  const { host, call } = caller();
  const problem = {
    file: 'programs/p1.yaml',
    line: 12,
    column: 16,
    path: 'spec.publishPort',
    message: 'must be an integer',
  };
  host.failures.set(
    'putManifest',
    new AppError('InvalidManifest', 'programs/p1.yaml:12:16: must be', { details: [problem] }),
  );
  const answer = await put(call);
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.json.details, [problem]);
});

test('dry_run changes nothing and says what would be done', async () => {
  const { host, call } = caller([fakeView('p1')]);
  host.manifests.set('p1', 'old');
  const answer = await put(call, {}, '/programs/p1/manifest?dry_run=true');
  assert.deepEqual(answer.json, {
    changed: true,
    diff: [{ path: 'spec.env.KEY', from: 'a', to: 'b' }],
    actions: ['replace the container'],
  });
  assert.equal(host.manifests.get('p1'), 'old');
  assert.equal(
    (await put(call, { 'If-Match': '"stale"' }, '/programs/p1/manifest?dry_run=true')).status,
    412,
  );
  assert.equal((await put(call, {}, '/programs/p1/manifest?dry_run=perhaps')).status, 400);
});

test('the body must be YAML by name, and the name of the path one a program can have', async () => {
  const { call } = caller();
  for (const type of [
    'application/yaml',
    'application/x-yaml',
    'text/yaml',
    'text/x-yaml',
    'application/json',
  ]) {
    const { call: fresh } = caller();
    assert.equal((await put(fresh, { 'Content-Type': type })).status, 201, type);
  }
  for (const type of ['text/plain', 'application/octet-stream', 'multipart/form-data']) {
    assert.equal((await put(call, { 'Content-Type': type })).status, 415, type);
  }
  assert.equal((await put(call, {}, '/programs/.hidden/manifest')).status, 400);
  assert.equal((await put(call, {}, '/programs/a%2Fb/manifest')).status, 400);
});

test('a byte order mark of a manifest is part of its text', async () => {
  const { host, call } = caller();
  let written = '';
  host.deps.programs.putManifest = async (_name, text) => {
    written = text;
    return { etag: 'x', created: true };
  };
  const headers = { 'Content-Type': 'application/yaml' };
  await call('PUT', '/programs/p1/manifest', { headers, body: '\uFEFFkind: Program\n' });
  assert.equal(written, '\uFEFFkind: Program\n');
});

test('a manifest is validated whatever it is to be called', async () => {
  const { call } = caller();
  const validate = (body: string, type = 'application/yaml') =>
    call('POST', '/validate', { body, headers: { 'Content-Type': type } });
  assert.deepEqual((await validate('kind: Program\nname: a\n')).json, {
    valid: true,
    name: 'a',
    problems: [],
  });
  const problems = [{ line: 1, column: 1, path: 'kind', message: 'kind is missing' }];
  assert.deepEqual((await validate('x: 1\n')).json, { valid: false, name: '', problems });
  assert.equal((await validate('x', 'text/plain')).status, 415);
  assert.equal((await call('GET', '/validate')).status, 405);
});
