import { join } from 'node:path';
import { ROOT } from './setup/host-settings.ts';
import { unitTestFiles } from './setup/unit-test-files.ts';

/**
 * `npm run test:unit`: every test that needs neither an engine nor git nor a whole host, in one process, so that
 * the compiler and the schemas are loaded once.
 */
for (const file of unitTestFiles()) await import(join(ROOT, file));
