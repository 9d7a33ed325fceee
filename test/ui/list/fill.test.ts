import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFilling } from '../../../api/ui/screens/list/fill.ts';

function stage() {
  const asked: (() => void)[] = [];
  const filled: number[] = [];
  const filling = createFilling({ next: (run) => asked.push(run) }, 2);
  const soon = (block: number) => filling.soon(() => filled.push(block));
  return { asked, filled, soon, frame: () => asked.shift()?.() };
}

test('a frame fills so many blocks at most, the first that came first', () => {
  const { asked, filled, soon, frame } = stage();
  for (const block of [1, 2, 3, 4, 5]) soon(block);
  assert.equal(asked.length, 1);
  frame();
  assert.deepEqual(filled, [1, 2]);
  frame();
  frame();
  assert.deepEqual(filled, [1, 2, 3, 4, 5]);
  assert.equal(asked.length, 0, 'nothing is asked for when all is filled');
});

test('who has gone before its turn is not filled, and costs no other its turn', () => {
  const { filled, soon, frame } = stage();
  soon(1);
  const callOff = soon(2);
  soon(3);
  callOff();
  frame();
  assert.deepEqual(filled, [1, 3]);
});
