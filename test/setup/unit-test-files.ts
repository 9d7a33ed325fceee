import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './host-settings.ts';

/** Folders of tests that need neither an engine nor a whole host, with all below them. */
const FOLDERS = ['schemas', 'registry', 'controller', 'api', 'cli', 'ui', 'bench'];
/** Real git takes its time, and so does a process of Node's: what starts one is called `….process.test.ts`. */
const GIT = 'test/registry/git/';
const PROCESS = '.process.test.ts';

/** The files of `npm run test:unit`, as `test/…`. Throws where there are none. */
export function unitTestFiles(): string[] {
  return filesWithoutHost().filter((path) => !startsProcesses(path));
}

/** Those that start git or Node, and need no more than that either. */
export function processTestFiles(): string[] {
  return filesWithoutHost().filter(startsProcesses);
}

function startsProcesses(path: string): boolean {
  return path.startsWith(GIT) || path.endsWith(PROCESS);
}

function filesWithoutHost(): string[] {
  const own = readdirSync(join(ROOT, 'test')).map((name) => `test/${name}`);
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, 'test', folder), { recursive: true, withFileTypes: true }).map((entry) =>
      relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)),
    ),
  );
  const files = [...own, ...below.sort()].filter((path) => path.endsWith('.test.ts'));
  if (files.length === 0) throw new Error('no unit tests were found');
  return files;
}
