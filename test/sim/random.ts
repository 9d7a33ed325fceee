/** Chance that can be repeated: equal seeds give equal sequences. */
export interface Random {
  /** 0 … n-1. */
  below(n: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** One of an array that may be empty. */
  any<T>(list: readonly T[]): T | undefined;
  weighted<T extends { weight: number }>(list: readonly T[]): T;
}

/** mulberry32: 32 bits of state are enough for a few thousand draws. */
export function createRandom(seed: number): Random {
  let state = (seed * 0x9e3779b1) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return {
    below,
    chance: (probability) => next() < probability,
    pick: (list) => list[below(list.length)] ?? list[0],
    any: (list) => list[below(list.length)],
    weighted(list) {
      const total = list.reduce((sum, { weight }) => sum + weight, 0);
      let left = next() * total;
      for (const one of list) {
        left -= one.weight;
        if (left < 0) return one;
      }
      throw new Error('nothing to choose from');
    },
  };
}
