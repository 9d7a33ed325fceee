import { isRecord } from './is-record.ts';
import { isSameData } from './is-same-data.ts';

export interface Difference {
  /** e.g. `spec.env.KEY`. */
  path: string;
  from: unknown;
  to: unknown;
}

/** Which fields two specs, sets of labels or the like differ in, down to lists and single values; sorted by path. */
export function diffSpecs(from: object | undefined, to: object, root = 'spec'): Difference[] {
  const differences: Difference[] = [];
  const walk = (path: string, before: unknown, after: unknown): void => {
    if (isSameData(before, after)) return;
    if (!isRecord(before) || !isRecord(after)) {
      differences.push({ path, from: before ?? null, to: after ?? null });
      return;
    }
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      walk(`${path}.${key}`, before[key], after[key]);
    }
  };
  walk(root, from ?? {}, to);
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1));
}
