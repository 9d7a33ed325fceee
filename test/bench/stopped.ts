import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_VERSION } from '../../schemas/program.ts';

/** Names of stopped programs that sort as they are counted. */
export function stoppedNames(count: number): string[] {
  return Array.from({ length: count }, (_, nth) => `p${String(nth).padStart(5, '0')}`);
}

/** A program that is to be stopped, of an image that nobody pulls; `userId` is what an edit of it changes. */
export function stoppedText(name: string, userId: string): string {
  const spec = `spec:\n  userId: ${userId}\n  desiredState: Stopped\n  image: nobody/pulls-it:1\n`;
  return `apiVersion: ${API_VERSION}\nkind: Program\nmetadata:\n  name: ${name}\n${spec}`;
}

export function writeStopped(registry: string, name: string, userId: string): void {
  writeFileSync(join(registry, 'programs', `${name}.yaml`), stoppedText(name, userId));
}
