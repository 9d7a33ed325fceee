import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK_ROWS, type Block, inOrder, reblocked } from '../../../api/ui/screens/list/blocks.ts';

const letters = (text: string) => [...text];
let lastId = 0;
const again = (before: readonly Block<string>[], order: readonly string[]) =>
  reblocked(
    before,
    order,
    (item) => item,
    () => ++lastId,
  );
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => String(from + at));

test('the longest part in order is found', () => {
  assert.deepEqual([...inOrder([2, 0, 1, 4, 3])].length, 3);
  assert.deepEqual([...inOrder([-1, 5, -1])], [1]);
  assert.deepEqual([...inOrder([])], []);
});

test('blocks are of so many rows, and stay the same objects where nothing in them changes', () => {
  const first = again([], numbers(0, 2 * BLOCK_ROWS + 3));
  assert.deepEqual(
    first.blocks.map(({ items }) => items.length),
    [BLOCK_ROWS, BLOCK_ROWS, 3],
  );
  const same = again(first.blocks, numbers(0, 2 * BLOCK_ROWS + 3));
  assert.ok(same.blocks.every((block, at) => block === first.blocks[at]));
  assert.deepEqual(same.moved, []);
});

test('a row that moves is work for two blocks', () => {
  const rows = numbers(0, 4 * BLOCK_ROWS);
  const last = rows.at(-1) ?? '';
  const { blocks } = again([], rows);
  const { blocks: next, moved } = again(blocks, [last, ...rows.slice(0, -1)]);
  assert.deepEqual(moved, [last]);
  assert.deepEqual(
    next.map((block, at) => block === blocks[at]),
    [false, true, true, false],
  );
  assert.deepEqual(
    next.map(({ id }) => id),
    blocks.map(({ id }) => id),
  );
  assert.equal(next[0]?.items[0], last);
});

test('rows that come and go keep the order, and a long block is divided', () => {
  const { blocks } = again([], numbers(0, 30));
  const order = [...numbers(100, 130), ...numbers(5, 30)];
  const next = again(blocks, order);
  assert.deepEqual(
    next.blocks.flatMap(({ items }) => items),
    order,
  );
  assert.ok(next.blocks.every(({ items }) => items.length < 2 * BLOCK_ROWS));
  assert.equal(new Set(next.blocks.map(({ id }) => id)).size, next.blocks.length);
  assert.deepEqual(again(next.blocks, []).blocks, []);
});

test('any order comes out as it went in', () => {
  let blocks: readonly Block<string>[] = [];
  for (const text of ['abcdef', 'fedcba', 'afbecd', 'xyz', 'zaybxc']) {
    const next = again(blocks, letters(text));
    assert.equal(next.blocks.flatMap(({ items }) => items).join(''), text);
    blocks = next.blocks;
  }
});
