import dockerignoreModule, { type Ignore } from '@balena/dockerignore';
import type { ContextEntry } from '../schemas/build-id.ts';

/** Its types describe an ES module, but it is a CommonJS one: the import is the function itself. */
const dockerignore = dockerignoreModule as unknown as (options: { ignorecase: boolean }) => Ignore;

export const MODE_FILE = 0o100644;
export const MODE_EXECUTABLE = 0o100755;
export const MODE_LINK = 0o120000;
export const MODE_FOLDER = 0o040000;

/**
 * Which names of a context a build gets, by its `.dockerignore`. The Dockerfile and the ignore file itself are
 * always sent, as Docker does.
 * @param ignoreText contents of the ignore file, or undefined where there is none
 */
export function contextFilter(
  dockerfile: string,
  ignoreText: string | undefined,
): { keeps: (name: string) => boolean; mayHoldKept: (folder: string) => boolean } {
  if (ignoreText === undefined) return { keeps: () => true, mayHoldKept: () => true };
  const rules = dockerignore({ ignorecase: false }).add(ignoreText.replaceAll('\r\n', '\n'));
  const always = new Set([dockerfile, ...ignoreFileNames(dockerfile)]);
  const hasExceptions = /^\s*!/m.test(ignoreText);
  const keeps = (name: string) => always.has(name) || !rules.ignores(name);
  return {
    keeps,
    mayHoldKept: (folder) =>
      hasExceptions || keeps(folder) || [...always].some((name) => name.startsWith(`${folder}/`)),
  };
}

/** Where the ignore rules may stand; the first that exists counts, as with Docker. */
export function ignoreFileNames(dockerfile: string): string[] {
  return [`${dockerfile}.dockerignore`, '.dockerignore'];
}

/** The entries that a folder with these files would give: the folders above them included. */
export function entriesOfFiles(
  files: ReadonlyMap<string, string>,
  dockerfile: string,
  sha256: (text: string) => string,
): ContextEntry[] {
  const ignoreText = ignoreFileNames(dockerfile)
    .map((name) => files.get(name))
    .find((text) => text !== undefined);
  const { keeps } = contextFilter(dockerfile, ignoreText);
  const folders = new Set<string>();
  for (const name of files.keys()) {
    const parts = name.split('/');
    for (let depth = 1; depth < parts.length; depth++) folders.add(parts.slice(0, depth).join('/'));
  }
  return [
    ...[...folders].map((name) => ({ name, mode: MODE_FOLDER, sha256: sha256('') })),
    ...[...files].map(([name, text]) => ({ name, mode: MODE_FILE, sha256: sha256(text) })),
  ].filter(({ name }) => keeps(name));
}
