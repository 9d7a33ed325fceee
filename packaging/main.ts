/** `npm run build`: the page, and then what a machine without this repository runs, the page in it. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '..', '..');
const STEPS = [join('api', 'ui', 'build', 'main.ts'), join('packaging', 'build.ts')];

for (const step of STEPS) {
  const argv = ['--import', 'tsx', join(ROOT, step)];
  const { status } = spawnSync(process.execPath, argv, { cwd: ROOT, stdio: 'inherit' });
  if (status === 0) continue;
  process.exitCode = status ?? 1;
  break;
}
