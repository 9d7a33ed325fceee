import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';

type Call = (...args: unknown[]) => unknown;

/** Gives what the work gives, and which manifests and statuses of that registry were opened to be read, sorted. */
export async function watchReads<T>(
  root: string,
  work: () => Promise<T>,
): Promise<{ result: T; read: string[] }> {
  const read = new Set<string>();
  const patched = [fs, promises].flatMap((module) =>
    ['open', 'openSync', 'readFile', 'readFileSync'].flatMap((name) => {
      const target = module as unknown as Record<string, Call>;
      const before = target[name];
      if (before === undefined) return [];
      target[name] = (path, ...rest) => {
        const file = typeof path === 'string' ? relative(root, path) : '';
        if (/^(programs|status)\/[^.].*\.yaml$/.test(file)) read.add(file);
        return before(path, ...rest);
      };
      return [() => Object.assign(target, { [name]: before })];
    }),
  );
  syncBuiltinESMExports();
  try {
    return { result: await work(), read: [...read].sort() };
  } finally {
    for (const undo of patched) undo();
    syncBuiltinESMExports();
  }
}
