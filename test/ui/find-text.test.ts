import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hitWords, patternOf, piecesOf } from '../../api/ui/screens/logs/find-text.ts';

test('a word is found whatever its case and signs, and nothing of the text is lost', () => {
  const found = (text: string, word: string) => {
    const pattern = patternOf(word);
    assert.ok(pattern !== undefined);
    const pieces = piecesOf(text, pattern);
    assert.equal((pieces ?? [{ text }]).map((piece) => piece.text).join(''), text);
    return pieces?.filter(({ isHit }) => isHit).map((piece) => piece.text);
  };
  assert.deepEqual(found('Error: no ERROR', 'error'), ['Error', 'ERROR']);
  assert.deepEqual(found('a.b [x] a-b', 'a.b'), ['a.b']);
  assert.deepEqual(found('a/b (c) 5%', '(c)'), ['(c)']);
  assert.deepEqual(found('ÄÖ', 'äö'), ['ÄÖ']);
  assert.equal(found('nothing', 'x'), undefined);
  assert.equal(patternOf(''), undefined);
});

test('hits are counted in words', () => {
  assert.equal(hitWords(2, 1204, 'x'), '3 of 1,204');
  assert.equal(hitWords(-1, 5, 'x'), '5');
  assert.equal(hitWords(-1, 0, 'x'), 'none');
  assert.equal(hitWords(-1, 0, ''), '');
});
