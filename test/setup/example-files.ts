import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { ROOT } from './host-settings.ts';
import { SetupError } from './say.ts';

/** Belongs to the example for people, not to the program. */
const NOT_SOURCES = new Set(['Dockerfile', 'README.md', 'program.yaml']);

/** What `POST /programs` takes. */
export interface ExampleFiles {
  dockerfile: string;
  src_files: Record<string, string>;
}

export function exampleNames(): string[] {
  const entries = readdirSync(join(ROOT, 'examples'), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export function exampleFiles(name: string): ExampleFiles {
  if (!exampleNames().includes(name)) {
    throw new SetupError(`There is no example ${name}. There are: ${exampleNames().join(', ')}`);
  }
  const folder = join(ROOT, 'examples', name);
  const sources: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const path = relative(folder, file).split(sep).join('/');
    if (!NOT_SOURCES.has(path)) sources[path] = readFileSync(file, 'utf8');
  }
  return { dockerfile: readFileSync(join(folder, 'Dockerfile'), 'utf8'), src_files: sources };
}

/** The Dockerfile with other defaults for its build arguments: the REST API has no place to give them. */
export function withDefaults(dockerfile: string, args: Readonly<Record<string, string>>): string {
  return dockerfile.replace(/^ARG ([A-Z_]+)=.*$/gm, (line, name: string) => {
    const value = args[name];
    return value === undefined ? line : `ARG ${name}=${value}`;
  });
}
