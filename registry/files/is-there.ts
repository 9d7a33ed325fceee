import { lstat } from 'node:fs/promises';

/** Whether anything lies at that path, a link to nothing included; not where that can not be seen. */
export function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Whether a link lies at that path, wherever it leads. */
export function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}
