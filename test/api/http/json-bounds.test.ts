import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createJsonBounds } from '../../../api/http/json-bounds.ts';
import { AppError } from '../../../schemas/errors.ts';

/** Why a text is refused, given in pieces of that length; `""` where it is not. */
function refused(text: string, length = 7): string {
  const bytes = Buffer.from(text);
  const take = createJsonBounds();
  try {
    for (let at = 0; at < bytes.length; at += length) take(bytes.subarray(at, at + length));
    return '';
  } catch (error) {
    assert.ok(error instanceof AppError && error.reason === 'BadRequest');
    return error.message;
  }
}

test('texts may hold what they like, and as much of it', () => {
  const text = ',[{:"\\'.repeat(30_000);
  assert.equal(refused(JSON.stringify({ dockerfile: text, src_files: { [text]: text } }), 1_000), '');
});

test('what is small and many is refused, in any form', () => {
  const many = 100_000;
  assert.match(refused(`[${'0,'.repeat(many)}0]`, 1_000), /more than 100000 values/);
  assert.match(refused(JSON.stringify(Array(many).fill({})), 1_000), /more than 100000 values/);
  const fields = Object.fromEntries(Array.from({ length: many / 2 + 1 }, (_, at) => [at, 0]));
  assert.match(refused(JSON.stringify(fields), 1_000), /more than 100000 values/);
  assert.equal(refused(JSON.stringify(Array(many - 10).fill(0)), 1_000), '');
});

test('what lies in one another is refused beyond a depth, and in a row it is not', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  assert.equal(refused(nested(64)), '');
  assert.match(refused(nested(65)), /more than 64 objects and lists/);
  assert.equal(refused(`[${Array(100).fill(nested(60)).join(',')}]`), '');
});

test('any JSON of few values passes, however it is cut into pieces', () => {
  const small = fc.json({ maxDepth: 5 });
  fc.assert(
    fc.property(small, fc.integer({ min: 1, max: 9 }), (text, length) => refused(text, length) === ''),
  );
});
