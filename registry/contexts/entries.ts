import type { BuildContent, ContextEntry } from '../../schemas/build-id.ts';
import type { BuildSpec } from '../../schemas/program.ts';
import { FORM, ignoreFileNames } from './form.ts';
import { NAME_STEPS, type Work } from './work.ts';

export const MODE_FILE = 0o100644;
export const MODE_EXECUTABLE = 0o100755;
export const MODE_LINK = 0o120000;
export const MODE_FOLDER = 0o040000;

/** The mode of a file or link as a context keeps it: of all permissions only the owner's to execute counts. */
export function modeOf(stats: { isSymbolicLink(): boolean; mode: number | bigint }): number {
  if (stats.isSymbolicLink()) return MODE_LINK;
  return (Number(stats.mode) & 0o100) !== 0 ? MODE_EXECUTABLE : MODE_FILE;
}

/** What `COPY` sees of it, and what the rest says. */
export function contentOf(
  { dockerfile }: BuildSpec,
  { entries, aside }: { entries: readonly ContextEntry[]; aside: readonly ContextEntry[] },
): BuildContent {
  const hidden = aside.find(({ name }) => name === dockerfile);
  return hidden === undefined ? { entries } : { entries, dockerfile: hidden.sha256 };
}

/**
 * What a folder with these files would give to a build: the folders above them included.
 * @throws Error that names the line of a malformed pattern of their ignore file
 */
export async function contentOfFiles(
  files: ReadonlyMap<string, string>,
  build: BuildSpec,
  sha256: (text: string) => string,
  work: Work,
): Promise<BuildContent> {
  const ignoreText = ignoreFileNames(build.dockerfile)
    .map((name) => files.get(name))
    .find((text) => text !== undefined);
  const filter = await FORM.filter(build, ignoreText, work);
  const folders = new Set([...files.keys()].flatMap(foldersAbove));
  const names = [...folders, ...files.keys()].filter((name) => !name.split('/').some(FORM.isForeign));
  const kept: ContextEntry[] = [];
  for (const name of names.sort((a, b) => (inOrder(a) < inOrder(b) ? -1 : 1))) {
    const text = files.get(name);
    if (work.spend(NAME_STEPS)) await work.pause();
    if (!(await filter.keeps(name, text === undefined))) continue;
    kept.push({ name, mode: text === undefined ? MODE_FOLDER : MODE_FILE, sha256: sha256(text ?? '') });
  }
  const dockerfile = files.get(build.dockerfile) ?? '';
  const isKept = kept.some(({ name }) => name === build.dockerfile);
  return { entries: kept, ...(!isKept && { dockerfile: sha256(dockerfile) }) };
}

/** Order in which a folder comes before what lies in it, and all of that before anything else. */
const inOrder = (name: string): string => name.replaceAll('/', '\0');

/** `a/b/c` lies in `a` and `a/b`. */
export function foldersAbove(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, depth) => parts.slice(0, depth + 1).join('/'));
}
