/** What each key has, found from either side without a look at the others. */
export interface TwoWay<K, V> {
  get(key: K): V | undefined;
  /** In the order in which they came to have it. */
  keysOf(value: V): readonly K[];
  /** A key that comes to have another value is the last of those that have it. */
  set(key: K, value: V): void;
  delete(key: K): void;
}

export function createTwoWay<K, V>(): TwoWay<K, V> {
  const values = new Map<K, V>();
  const keys = new Map<V, Set<K>>();
  const drop = (key: K): void => {
    const value = values.get(key);
    if (value === undefined) return;
    values.delete(key);
    const others = keys.get(value);
    others?.delete(key);
    if (others?.size === 0) keys.delete(value);
  };
  return {
    get: (key) => values.get(key),
    keysOf: (value) => [...(keys.get(value) ?? [])],
    delete: drop,
    set(key, value) {
      if (values.get(key) === value) return;
      drop(key);
      values.set(key, value);
      keys.set(value, (keys.get(value) ?? new Set()).add(key));
    },
  };
}
