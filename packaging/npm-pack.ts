import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '..', '..');

/**
 * Builds the npm package. Slow: the page and both bundles are built first.
 * @param into a folder, made where there is none
 * @returns the path of the archive
 */
export function npmPack(into: string): string {
  mkdirSync(into, { recursive: true });
  const answer = execFileSync('npm', ['pack', '--json', '--pack-destination', into], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // What builds it says so before.
  const [made] = JSON.parse(answer.slice(answer.search(/^\[$/m))) as { filename: string }[];
  if (made === undefined) throw new Error('npm pack made nothing');
  return join(into, made.filename);
}
