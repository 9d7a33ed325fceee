import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeedMessage } from '../../../api/client-streams.ts';
import { type Expected, wrongIn } from './verdict.ts';

const calm = { state: 'Created', reason: '', error_msg: '' };
const expected: Expected = {
  before: new Map([
    ['touched', { ...calm, user_id: 'old' }],
    ['other', { ...calm, user_id: 'old' }],
  ]),
  users: new Map([['touched', new Set(['old', 'new'])]]),
};
const program = (program_id: string, changed: object = {}) =>
  ({
    ...{ id: '', type: 'program' },
    data: { ...calm, program_id, user_id: 'old', ...changed },
  }) as unknown as FeedMessage;
const event = (type: string) =>
  ({ id: '', type: 'event', data: { program_id: 'other', type, reason: 'R' } }) as unknown as FeedMessage;

test('who is touched may be as before and as wished, and nothing else', () => {
  assert.equal(wrongIn(program('touched'), expected), undefined);
  assert.equal(wrongIn(program('touched', { user_id: 'new' }), expected), undefined);
  assert.match(wrongIn(program('touched', { user_id: 'third' }), expected) ?? '', /touched.*third/);
});

test('who is not touched stays as it was in every respect', () => {
  assert.equal(wrongIn(program('other'), expected), undefined);
  for (const changed of [{ user_id: 'new' }, { state: 'Error' }, { reason: 'X' }, { error_msg: 'x' }])
    assert.match(wrongIn(program('other', changed), expected) ?? '', /^other /);
});

test('nobody comes, nobody goes and nobody is warned of', () => {
  assert.match(wrongIn(program('new-one'), expected) ?? '', /was not there/);
  const removed = { id: '', type: 'removed', data: { program_id: 'other' } } as const;
  assert.match(wrongIn(removed, expected) ?? '', /removed/);
  assert.match(wrongIn(event('Warning'), expected) ?? '', /Warning/);
  assert.equal(wrongIn(event('Normal'), expected), undefined);
});
