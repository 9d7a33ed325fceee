/** Whether two would be equal as JSON, whatever the order of their keys; without making a text of either. */
export function isSameData(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => isSameData(item, other[index]));
  }
  const [left, right] = [one as Record<string, unknown>, other as Record<string, unknown>];
  for (const key in left) if (!isSameData(left[key], right[key])) return false;
  // What is there and undefined is as good as not there.
  for (const key in right) if (left[key] === undefined && right[key] !== undefined) return false;
  return true;
}
