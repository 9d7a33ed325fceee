import type { ContextEntry } from '../../schemas/build-id.ts';
import { isTemporary } from '../files/atomic-write.ts';
import { readDockerignore } from './dockerignore.ts';

export const MODE_FILE = 0o100644;
export const MODE_EXECUTABLE = 0o100755;
export const MODE_LINK = 0o120000;
export const MODE_FOLDER = 0o040000;

/** The mode of a file or link as a context keeps it: of all permissions only the owner's to execute counts. */
export function modeOf(stats: { isSymbolicLink(): boolean; mode: number | bigint }): number {
  if (stats.isSymbolicLink()) return MODE_LINK;
  return (Number(stats.mode) & 0o100) !== 0 ? MODE_EXECUTABLE : MODE_FILE;
}

/**
 * Which names of a context a build gets, by its `.dockerignore`. The Dockerfile and the ignore file itself are
 * always sent, as Docker does.
 * @param ignoreText contents of the ignore file, or undefined where there is none
 * @throws Error that names the line of a malformed pattern
 */
export function contextFilter(
  dockerfile: string,
  ignoreText: string | undefined,
): { keeps: (name: string) => boolean; mayHoldKept: (folder: string) => boolean } {
  if (ignoreText === undefined) return { keeps: () => true, mayHoldKept: () => true };
  const ignores = readDockerignore(ignoreText);
  const always = new Set([dockerfile, ...ignoreFileNames(dockerfile)]);
  const hasExceptions = /^\s*!/m.test(ignoreText);
  const keeps = (name: string) => always.has(name) || !ignores(name);
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

/**
 * The entries that a folder with these files would give: the folders above them included.
 * @throws Error that names the line of a malformed pattern of their `.dockerignore`
 */
export function entriesOfFiles(
  files: ReadonlyMap<string, string>,
  dockerfile: string,
  sha256: (text: string) => string,
): ContextEntry[] {
  const ignoreText = ignoreFileNames(dockerfile)
    .map((name) => files.get(name))
    .find((text) => text !== undefined);
  const { keeps } = contextFilter(dockerfile, ignoreText);
  const folders = new Set([...files.keys()].flatMap(foldersAbove));
  return [
    ...[...folders].map((name) => ({ name, mode: MODE_FOLDER, sha256: sha256('') })),
    ...[...files].map(([name, text]) => ({ name, mode: MODE_FILE, sha256: sha256(text) })),
  ].filter(({ name }) => !name.split('/').some(isTemporary) && keeps(name));
}

/** `a/b/c` lies in `a` and `a/b`. */
export function foldersAbove(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, depth) => parts.slice(0, depth + 1).join('/'));
}
