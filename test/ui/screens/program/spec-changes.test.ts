import assert from 'node:assert/strict';
import { test } from 'node:test';
import { specChanges } from '../../../../api/ui/screens/program/spec-changes.ts';

const one = (spec: Record<string, unknown>, build_id = 'build-1', image_id = '') => ({
  spec,
  build_id,
  image_id,
});

test('fields that differ are told by their path; one that is not there is –', () => {
  const before = one({ env: { MODE: 'paper', OLD: '1' }, resources: { memory: '256Mi' } });
  const after = one({ env: { MODE: 'live' }, resources: { memory: '512Mi' }, args: ['a'] });
  assert.deepEqual(specChanges(before, after), [
    'spec.args: – → ["a"]',
    'spec.env.MODE: paper → live',
    'spec.env.OLD: 1 → –',
    'spec.resources.memory: 256Mi → 512Mi',
  ]);
});

test('other sources are told by their builds, another image under one name by its ids', () => {
  assert.deepEqual(specChanges(one({}), one({}, 'build-2')), ['sources: build-1 → build-2']);
  const image = (id: string) => one({ image: 'bot:latest' }, '', `sha256:${id.repeat(64)}`);
  assert.deepEqual(specChanges(image('a'), image('b')), [
    'image: aaaaaaaaaaaa → bbbbbbbbbbbb, under the same name',
  ]);
});

test('wishes of the moment are no change, and long values are cut in the middle', () => {
  assert.deepEqual(specChanges(one({ desiredState: 'Running' }), one({ desiredState: 'Stopped' })), []);
  const [line = ''] = specChanges(one({}), one({ env: { KEY: 'x'.repeat(400) } }));
  assert.ok(line.length < 80 && line.includes('…'), line);
});
