import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newToken } from '../../../registry/tokens/new-token.ts';
import { changeTokensFile, readTokensFile } from '../../../registry/tokens/tokens-file.ts';
import { parseTokens, withoutTokens, withToken } from '../../../registry/tokens/tokens-text.ts';
import { tokenIdOf } from '../../../schemas/token.ts';

const NOW = Date.parse('2026-11-22T10:00:00.000Z');
const admin = newToken({ name: 'ops', role: 'admin' }, NOW);
const alice = newToken({ name: 'ci', role: 'user', userId: 'alice', expiresAt: '2027-01-01T00:00:00Z' }, NOW);

const made = withToken(withToken('', 'f', admin.stored), 'f', alice.stored);

async function fileWith(t: TestContext, text: string | undefined): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-tokens-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'tokens.yaml');
  if (text !== undefined) await writeFile(file, text, { mode: 0o600 });
  return file;
}

test('what is written is read again, and holds no token', () => {
  assert.deepEqual(parseTokens(made, 'f'), [admin.stored, alice.stored]);
  assert.ok(!made.includes(admin.token) && !made.includes(admin.token.slice(20)));
  assert.equal(tokenIdOf(admin.token), admin.stored.id);
  assert.notEqual(admin.token, newToken({ name: 'ops', role: 'admin' }, NOW).token);
});

test('comments and other tokens stay where one comes or goes; JSON is taken too', () => {
  const commented = made.replace('tokens:', '# who may ask\ntokens:');
  const less = withoutTokens(commented, 'f', new Set([admin.stored.id]));
  assert.match(less, /# who may ask/);
  assert.deepEqual(parseTokens(less, 'f'), [alice.stored]);
  const json = JSON.stringify({ apiVersion: 'hersh.dev/v1', kind: 'Tokens', tokens: [admin.stored] });
  assert.deepEqual(parseTokens(withToken(json, 'f', alice.stored), 'f'), [admin.stored, alice.stored]);
});

test('what is wrong is told with its place, and without what stands there', () => {
  const of = (change: object) => {
    const tokens = [{ ...alice.stored, ...change }];
    return JSON.stringify({ apiVersion: 'hersh.dev/v1', kind: 'Tokens', tokens });
  };
  for (const [text, words] of [
    ['tokens: [', /f is not valid YAML/],
    ['{}', /must have required property 'tokens'/],
    [of({ role: 'root' }), /tokens\[0\]\.role must be one of admin, user, viewer/],
    [of({ role: 'admin' }), /tokens\[0\] has a userId, which only the role user has/],
    [of({ userId: undefined }), /tokens\[0\] must have required property 'userId'/],
    [of({ sha256: 'abc' }), /tokens\[0\]\.sha256 must match/],
    [of({ expiresAt: 'soon' }), /tokens\[0\]\.expiresAt must be a time/],
    [of({ token: 'x' }), /tokens\[0\] has a field that is none: token/],
    [made.replaceAll(alice.stored.id, admin.stored.id), /tokens\[1\]\.id is that of tokens\[0\]/],
  ] as const) {
    assert.throws(() => parseTokens(text, 'f'), { reason: 'BadRequest', message: words }, text);
  }
});

test('a file that others may read, or that is not there, is refused', async (t) => {
  const file = await fileWith(t, made);
  assert.equal((await readTokensFile(file)).tokens.length, 2);
  await chmod(file, 0o640);
  await assert.rejects(readTokensFile(file), { message: /may be read by others/, hint: /chmod 600/ });
  await assert.rejects(readTokensFile(`${file}.not`), { message: /is not there/ });
});

test('a file that is made is readable by its owner alone, and nothing is left beside it', async (t) => {
  const file = await fileWith(t, undefined);
  await assert.rejects(
    changeTokensFile(file, false, () => ({ text: made, result: 0 })),
    /is not there/,
  );
  const add = (text: string) => ({ text: withToken(text, file, admin.stored), result: 'done' });
  assert.equal(await changeTokensFile(file, true, add), 'done');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(file, '..')), ['tokens.yaml']);
  await assert.rejects(
    changeTokensFile(file, true, () => assert.fail('a change that throws')),
    /throws/,
  );
  assert.equal(await readFile(file, 'utf8'), withToken('', file, admin.stored));
});

test('of two changes at once both are kept', async (t) => {
  const file = await fileWith(t, undefined);
  const add = (stored: typeof admin.stored) =>
    changeTokensFile(file, true, (text) => ({ text: withToken(text, file, stored), result: 0 }));
  const more = ['b', 'c'].map((name) => newToken({ name, role: 'viewer' }, NOW));
  await Promise.all([add(admin.stored), add(alice.stored)]);
  await Promise.all(more.map(({ stored }) => add(stored)));
  const ids = (await readTokensFile(file)).tokens.map(({ id }) => id);
  assert.deepEqual(ids.sort(), [admin, alice, ...more].map(({ stored }) => stored.id).sort());
});
