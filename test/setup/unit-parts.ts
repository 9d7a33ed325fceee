import type { Part } from './built-tests.ts';

/**
 * Which files run in one process: those that load the same, since each process loads it anew. As much work in each,
 * and one more than the smallest machine has cores, since some tests wait.
 */
const PLACES: readonly (readonly string[])[] = [
  ['test/registry/contexts/', 'test/registry/looks/', 'test/registry/files/'],
  ['test/registry/', 'test/schemas/'],
  ['test/api/', 'test/cli/'],
];

/** Whatever has no place above is in the last part. None is empty. */
export function unitParts(files: readonly string[]): Part[] {
  const placeOf = (file: string) => {
    const at = PLACES.findIndex((starts) => starts.some((start) => file.startsWith(start)));
    return at === -1 ? PLACES.length : at;
  };
  return Array.from({ length: PLACES.length + 1 }, (_, at) => ({
    name: `unit-${at + 1}`,
    files: files.filter((file) => placeOf(file) === at),
  })).filter((part) => part.files.length > 0);
}
