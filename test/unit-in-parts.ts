import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';

/** `npm run test:unit`: as many processes as the smallest machine has cores, one's results after the other's. */
const PARTS = 2;

const children = Array.from({ length: PARTS }, (_, index) => {
  const argv = ['--import', 'tsx', 'test/unit.ts', `${index + 1}/${PARTS}`];
  return spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
});
const results = children.map((child) => Promise.all([buffer(child.stdout), once(child, 'exit')]));
for (const result of results) {
  const [output, [code]] = await result;
  process.stdout.write(output);
  if (code !== 0) process.exitCode = 1;
}
