import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingOf } from '../../api/ui/state/missing.ts';

test('a file of the page that is not there is told apart: another page, no host, neither', () => {
  const own = '/ui/assets/index-AAAA.js';
  assert.equal(missingOf(`<script src="${own}">`, own), 'broken');
  assert.equal(missingOf('<script src="/ui/assets/index-BBBB.js">', own), 'updated');
  assert.equal(missingOf(undefined, own), 'away');
  assert.equal(missingOf('<p>', undefined), 'broken');
});
