import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { buildTests, LIGHTLY } from './setup/built-tests.ts';
import { unitTestFiles } from './setup/unit-test-files.ts';

/** `npm run test:unit`: one process more than the smallest machine has cores, since some tests wait. */
const PARTS = 3;

const files = unitTestFiles();
const parts = Array.from({ length: PARTS }, (_, part) => ({
  name: `unit-${part}`,
  files: files.filter((_, index) => index % PARTS === part),
}));
const built = await buildTests(parts);
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
