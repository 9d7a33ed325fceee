import { normaliseFolder, RESERVED_FOLDERS } from './resolve.ts';

/** What is wrong with a folder of the registry that a manifest names, or undefined. */
export function folderProblem(path: string): string | undefined {
  const inner = innerPathProblem(path);
  if (inner !== undefined) return inner;
  const first = normaliseFolder(path).split('/')[0] ?? '';
  return RESERVED_FOLDERS.includes(first)
    ? `may be any folder of the registry but ${RESERVED_FOLDERS.join(', ')}`
    : undefined;
}

/** What is wrong with a path that has to stay within a folder, or undefined. */
export function innerPathProblem(path: string): string | undefined {
  if (path.startsWith('/')) return 'must be relative, so it can not start with "/"';
  if (path.split('/').includes('..')) return 'must not climb out with ".."';
  if (path.includes('\\')) return 'must use "/" between folders';
  if (path.includes('\0')) return 'must not hold a NUL character';
  return undefined;
}
