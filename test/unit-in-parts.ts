import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { buildTests, LIGHTLY } from './setup/built-tests.ts';
import { unitParts } from './setup/unit-parts.ts';
import { unitTestFiles } from './setup/unit-test-files.ts';

/** `npm run test:unit`: all parts at once. */
const built = await buildTests(unitParts(unitTestFiles()));
try {
  const results = built.paths.map((path) => {
    const child = spawn(process.execPath, [...LIGHTLY, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    return Promise.all([buffer(child.stdout), once(child, 'exit')]);
  });
  for (const result of results) {
    const [output, [code]] = await result;
    process.stdout.write(output);
    if (code !== 0) process.exitCode = 1;
  }
} finally {
  await built.remove();
}
