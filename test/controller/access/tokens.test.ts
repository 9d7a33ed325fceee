import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openTokens } from '../../../controller/access/tokens.ts';
import { newToken } from '../../../registry/tokens/new-token.ts';
import { readTokensFile } from '../../../registry/tokens/tokens-file.ts';
import { withoutTokens, withToken } from '../../../registry/tokens/tokens-text.ts';
import { createManualClock } from '../../sim/manual-clock.ts';

const LOOK_MS = 2_000;

async function opened(t: TestContext, expiresAt?: string, read = readTokensFile) {
  const folder = mkdtempSync(join(tmpdir(), 'hersh-tokens-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'tokens.yaml');
  const clock = createManualClock();
  const [kept, other] = [
    newToken({ name: 'a', role: 'admin' }, 0),
    newToken({ name: 'b', role: 'viewer', expiresAt }, 0),
  ];
  const text = withToken(withToken('', file, kept.stored), file, other.stored);
  let writes = 0;
  const write = (content: string, mode = 0o600) => {
    const next = `${file}.${++writes}`;
    writeFileSync(next, content, { mode });
    chmodSync(next, mode);
    renameSync(next, file);
  };
  write(text);
  const logged: string[] = [];
  const note = (_fields: object, message: string) => void logged.push(message);
  const log = { info: note, warn: note } as unknown as Parameters<typeof openTokens>[0]['log'];
  const tokens = await openTokens({ file, proxyPolicy: 'token', isSecure: false, clock, log, read });
  t.after(() => tokens.close());
  let told = 0;
  tokens.onChange(() => told++);
  const look = async (isDone: () => boolean) => {
    // Files are read in real time: a look is over before the next is waited for.
    do await clock.advance(LOOK_MS);
    while (!isDone());
  };
  return {
    file,
    clock,
    text,
    write,
    tokens,
    look,
    logged,
    told: () => told,
    kept: kept.stored,
    other: other.stored,
  };
}

test('a token that is taken out of the file is none any more, without a restart', async (t) => {
  const { file, text, write, tokens, look, told, kept, other } = await opened(t);
  assert.deepEqual([tokens.token(kept.id), tokens.token(other.id)], [kept, other]);
  write(withoutTokens(text, file, new Set([other.id])));
  await look(() => told() > 0);
  assert.equal(tokens.token(other.id), undefined);
  assert.deepEqual(tokens.token(kept.id), kept);
});

test('a file that can not be used changes nothing, is told as a warning, and is taken up when it is right', async (t) => {
  const { file, text, write, tokens, look, logged, kept, other } = await opened(t);
  for (const [content, mode, words] of [
    ['tokens: [', 0o600, /is not valid YAML/],
    [text, 0o644, /may be read by others/],
    ['', 0o600, /tokens/],
  ] as const) {
    write(content, mode);
    await look(() => words.test(tokens.warnings()[0]?.message ?? ''));
    assert.equal(tokens.warnings()[0]?.code, 'TokensNotRead');
    assert.deepEqual(tokens.token(kept.id), kept);
  }
  rmSync(file);
  await look(() => /is not there/.test(tokens.warnings()[0]?.message ?? ''));
  assert.deepEqual(tokens.token(other.id), other);
  write(withoutTokens(text, file, new Set([other.id])));
  await look(() => tokens.warnings().length === 0);
  assert.equal(tokens.token(other.id), undefined);
  assert.ok(logged.includes('the tokens have changed'));
});

test('a token that is taken away is none any more also where the first look at that fails in passing', async (t) => {
  let failures = 0;
  let isFailing = false;
  const read = (path: string) => {
    if (!isFailing) return readTokensFile(path);
    failures++;
    return Promise.reject(new Error('too many open files'));
  };
  const { file, clock, text, write, tokens, look, logged, other } = await opened(t, undefined, read);
  isFailing = true;
  write(withoutTokens(text, file, new Set([other.id])));
  for (let looks = 0; looks < 3; looks++) await clock.advance(LOOK_MS);
  assert.ok(failures > 1, 'it is read again though nothing of it has changed');
  assert.match(tokens.warnings()[0]?.message ?? '', /too many open files/);
  assert.equal(logged.filter((line) => /can not be used/.test(line)).length, 1);
  assert.deepEqual(tokens.token(other.id), other);
  isFailing = false;
  await look(() => tokens.warnings().length === 0);
  assert.equal(tokens.token(other.id), undefined);
});

test('that a token comes to its end is told at its time', async (t) => {
  const startMs = createManualClock().now();
  const { clock, tokens, look, told, other } = await opened(t, new Date(startMs + 60_000).toISOString());
  await clock.advance(30_000);
  assert.equal(told(), 0);
  await clock.advance(31_000);
  await look(() => told() === 1);
  assert.equal(tokens.token(other.id)?.expiresAt, other.expiresAt);
});

test('a host does not begin with a file that can not be used', async (t) => {
  const { file, write, clock } = await opened(t);
  write('{}');
  const log = {} as Parameters<typeof openTokens>[0]['log'];
  await assert.rejects(
    openTokens({ file, proxyPolicy: 'token', isSecure: false, clock, log }),
    /must have required property/,
  );
});
