import { sep } from 'node:path';

/** Whether a path is that folder, or lies in it. Both absolute, and free of links where that is to mean anything. */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder + sep);
}
