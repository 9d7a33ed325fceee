import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './host-settings.ts';

/** Folders of tests that need neither an engine nor a whole host. */
const FOLDERS = ['.', 'schemas', 'registry', 'controller', 'controller/engine', 'api', 'bench'];
/** Real git takes its time. */
const NOT_UNIT = /^git[-.]/;

/** The files of `npm run test:unit`, as `test/…`. Throws where there are none. */
export function unitTestFiles(): string[] {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, 'test', folder))
      .filter((name) => name.endsWith('.test.ts') && !NOT_UNIT.test(name))
      .map((name) => (folder === '.' ? `test/${name}` : `test/${folder}/${name}`)),
  );
  if (files.length === 0) throw new Error('no unit tests were found');
  return files;
}
