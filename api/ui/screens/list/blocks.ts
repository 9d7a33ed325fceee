/** Some rows that follow each other and are drawn together. The same object for as long as they are the same. */
export interface Block<T> {
  id: number;
  items: readonly T[];
}

/** Rows are drawn so many at a time … */
export const BLOCK_ROWS = 8;
/** … and a block that others came into is divided when it is this long. */
const BLOCK_ROWS_MAX = 14;

export interface Blocked<T> {
  blocks: readonly Block<T>[];
  /** Who came, or changed place, relative to the others. */
  moved: readonly T[];
}

/**
 * The same rows in another order, with as many blocks as can be left as they were: who stays in order stays in its
 * block, who moves goes into that of the row before. So a row that moves is work for two blocks, not for all between.
 * @param keyOf what a row is known by
 * @param newId of a block
 */
export function reblocked<T>(
  before: readonly Block<T>[],
  order: readonly T[],
  keyOf: (item: T) => string,
  newId: () => number,
): Blocked<T> {
  const places = new Map<string, [place: number, block: number]>();
  let place = 0;
  before.forEach(({ items }, block) => {
    for (const item of items) places.set(keyOf(item), [place++, block]);
  });
  const keys = order.map(keyOf);
  const stays = inOrder(keys.map((key) => places.get(key)?.[0] ?? -1));
  const moved = order.filter((_, at) => !stays.has(at));
  if (stays.size === 0) return { blocks: chunks(order, newId), moved };
  const parts = new Map<number, T[]>();
  // What comes before all that stays goes with the first of them.
  let block = places.get(keys[Math.min(...stays)] ?? '')?.[1] ?? 0;
  order.forEach((item, at) => {
    if (stays.has(at)) block = places.get(keys[at] ?? '')?.[1] ?? block;
    const part = parts.get(block);
    if (part === undefined) parts.set(block, [item]);
    else part.push(item);
  });
  return { blocks: [...parts].flatMap(([at, items]) => kept(before[at], items, newId)), moved };
}

/** The block itself where nothing in it has changed; divided where it has become too long. */
function kept<T>(block: Block<T> | undefined, items: readonly T[], newId: () => number): Block<T>[] {
  if (block === undefined) return chunks(items, newId);
  const isSame = items.length === block.items.length && items.every((item, at) => item === block.items[at]);
  if (isSame) return [block];
  if (items.length <= BLOCK_ROWS_MAX) return [{ id: block.id, items }];
  const [first, ...rest] = chunks(items, newId);
  return first === undefined ? [] : [{ id: block.id, items: first.items }, ...rest];
}

function chunks<T>(items: readonly T[], newId: () => number): Block<T>[] {
  const all: Block<T>[] = [];
  for (let at = 0; at < items.length; at += BLOCK_ROWS)
    all.push({ id: newId(), items: items.slice(at, at + BLOCK_ROWS) });
  return all;
}

/** The places of a longest part of `numbers` that goes up; those below 0 are in none. */
export function inOrder(numbers: readonly number[]): Set<number> {
  // For each length, where the least end of a part of that length is; and what comes before each in its part.
  const ends: number[] = [];
  const before: number[] = [];
  numbers.forEach((n, at) => {
    if (n < 0) return;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((numbers[ends[middle] ?? 0] ?? 0) < n) low = middle + 1;
      else high = middle;
    }
    before[at] = low === 0 ? -1 : (ends[low - 1] ?? -1);
    ends[low] = at;
  });
  const found = new Set<number>();
  for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at] ?? -1) found.add(at);
  return found;
}
