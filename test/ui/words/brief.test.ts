import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, engineSaid, problemSaid } from '../../../api/ui/words/brief.ts';

test('a line is cut at a word, and says so', () => {
  assert.equal(cut('short\nmore'), 'short');
  assert.equal(cut('one two three four', 14), 'one two three…');
  assert.equal(cut('one two three, four', 15), 'one two three…');
  assert.equal(cut('x'.repeat(20), 10), `${'x'.repeat(9)}…`);
});

test("an engine's words begin where they say something", () => {
  assert.equal(
    engineSaid(
      'OCI runtime create failed: container_linux.go:380: no such file; tried again at 2026-11-28T03:12:44Z',
    ),
    'container_linux.go:380: no such file',
  );
  assert.equal(engineSaid('no space left'), 'no space left');
});

test('the place of a problem is told apart from it', () => {
  assert.deepEqual(problemSaid('programs/x.yaml:14:16: spec.env must be a map'), {
    line: 14,
    text: 'env must be a map',
  });
  assert.deepEqual(problemSaid('programs/x.yaml: it is empty'), { line: 0, text: 'it is empty' });
  assert.deepEqual(problemSaid('nothing of the kind'), { line: 0, text: 'nothing of the kind' });
});
