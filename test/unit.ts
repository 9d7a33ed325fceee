import { join } from 'node:path';
import { ROOT } from './setup/host-settings.ts';
import { unitTestFiles } from './setup/unit-test-files.ts';

/**
 * Every test that needs neither an engine nor git nor a whole host, in one process, so that the compiler and the
 * schemas are loaded once; or a part of them, as `1/2` says (`npm run test:unit`).
 */
const [part = 1, parts = 1] = (process.argv[2] ?? '1/1').split('/').map(Number);
const files = unitTestFiles().filter((_, index) => index % parts === part - 1);
if (files.length === 0) throw new Error(`no unit tests are in part ${process.argv[2]}`);
for (const file of files) await import(join(ROOT, file));
