/** Gives equal data as one: what was given in first stands for all that is equal to it, and can not be changed any more. */
export type Share = <T>(value: T) => T;

/** So many different things are remembered; then it begins anew, and what is shared already stays so. */
const KNOWN_MAX = 4096;
/** What is larger as JSON is hardly ever there twice. */
const LENGTH_MAX = 2048;

/** For thousands of things that are alike in most. */
export function createSharing(): Share {
  const known = new Map<string, object>();
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    const text = JSON.stringify(value);
    if (text.length > LENGTH_MAX) return value;
    const same = known.get(text);
    if (same !== undefined) return same as typeof value;
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(text, frozen(value));
    return value;
  };
}

/** With all that is in it. */
export function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) frozen(inner);
  return Object.freeze(value);
}
