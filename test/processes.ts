import { join } from 'node:path';
import { ROOT } from './setup/host-settings.ts';
import { processTestFiles } from './setup/unit-test-files.ts';

/** What starts git or Node and needs neither an engine nor a whole host, in one process as the unit tests are. */
const files = processTestFiles();
if (files.length === 0) throw new Error('no tests with processes were found');
for (const file of files) await import(join(ROOT, file));
