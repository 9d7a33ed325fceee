import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFailures } from '../../../api/access/failures.ts';
import { verifyToken } from '../../../api/access/verify.ts';
import { newToken } from '../../../registry/tokens/new-token.ts';

const NOW = Date.parse('2026-11-22T10:00:00.000Z');

test('a token is known by its hash until it ends', () => {
  const expiresAt = '2026-11-22T11:00:00Z';
  const { token, stored } = newToken({ name: 'ci', role: 'user', userId: 'alice', expiresAt }, NOW);
  const find = (id: string) => (id === stored.id ? stored : undefined);
  const who = { id: stored.id, name: 'ci', role: 'user', userId: 'alice' };
  assert.deepEqual(verifyToken(token, find, NOW), { who });
  assert.deepEqual(verifyToken(token, find, Date.parse(expiresAt) - 1), { who });
  const whyOf = (text: string, at = NOW) => {
    const found = verifyToken(text, find, at);
    return found.who === undefined ? found.why : 'known';
  };
  assert.match(whyOf(token, Date.parse(expiresAt)), /end/);
  const other = newToken({ name: 'ci', role: 'admin' }, NOW).token;
  assert.match(whyOf(other), /no token of that id/);
  assert.match(whyOf(token.slice(0, 19) + other.slice(19)), /not the token of its id/);
  for (const text of ['', 'hersh_', `${token}x`, token.slice(0, -1), token.toUpperCase(), stored.sha256])
    assert.match(whyOf(text), /form/);
});

test('failures of one address are limited for a minute, and those of others are not counted with them', () => {
  const failures = createFailures();
  const waits = (address: string, atMs = NOW) => failures.count(address, atMs).retryAfterSeconds;
  let tries = 1;
  while (waits('192.0.2.1') === 0) tries++;
  assert.ok(tries > 3 && tries < 100, `${tries} tries`);
  assert.equal(waits('192.0.2.1', NOW + 20_000), 40);
  assert.equal(waits('192.0.2.2'), 0);
  assert.equal(waits('192.0.2.1', NOW + 60_000), 0);
  // Set back by a day, the clock keeps nobody out.
  assert.equal(waits('192.0.2.1', NOW - 86_400_000), 0);
});

test('the first too many is told of, and no other', () => {
  const failures = createFailures();
  const told = Array.from({ length: 40 }, () => failures.count('192.0.2.1', NOW)).filter(
    ({ isFirst }) => isFirst,
  );
  assert.equal(told.length, 1);
});

test('addresses of one network of version 6 are one, and one of version 4 is itself however it is written', () => {
  const waited = (addresses: string[]) => {
    const failures = createFailures();
    return addresses.some((address) => failures.count(address, NOW).retryAfterSeconds > 0);
  };
  const many = (address: (at: number) => string) => Array.from({ length: 50 }, (_, at) => address(at));
  assert.ok(waited(many((at) => `2001:db8:1:2::${at.toString(16)}`)));
  assert.ok(waited(many((at) => `2001:db8::${at.toString(16)}`)));
  assert.ok(!waited(many((at) => `2001:db8:1:${at.toString(16)}::1`)));
  assert.ok(!waited(many((at) => `::ffff:192.0.2.${at}`)));
  assert.ok(waited(many((at) => (at % 2 === 0 ? '::ffff:192.0.2.1' : '192.0.2.1'))));
});
