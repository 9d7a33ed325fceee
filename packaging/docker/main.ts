/** `npm run image`: the host as a container's image, of the npm package. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { npmPack } from '../npm-pack.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const { version } = JSON.parse(readFileSync(resolve(HERE, '..', '..', 'package.json'), 'utf8')) as {
  version: string;
};

const { values } = parseArgs({
  options: {
    tag: { type: 'string', default: `hersh-host:${version}` },
    /** The image of Node to put it on; what the Dockerfile names by default. */
    base: { type: 'string' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'hersh-image-'));
try {
  npmPack(folder);
  const base = values.base === undefined ? [] : ['--build-arg', `NODE_IMAGE=${values.base}`];
  const argv = ['build', '-t', values.tag, '-f', join(HERE, 'Dockerfile'), ...base, folder];
  execFileSync('docker', argv, { stdio: 'inherit' });
  process.stdout.write(`${values.tag}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
