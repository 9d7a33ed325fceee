/** The files of a program's build context, as they are listed. Pure. */

export interface SourceFile {
  name: string;
  text: string;
  /** In bytes; null where the file is no text, so that its size can not be told from what came. */
  size: number | null;
}

/** The Dockerfile first, then what lies in no folder, then the rest by name. */
export function sourceFiles(files: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(files)
    .map(([name, text]) => ({ name, text, size: text.includes('\uFFFD') ? null : bytesOf(text) }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

function rank(name: string): number {
  if (name === 'Dockerfile') return 0;
  return name.includes('/') ? 2 : 1;
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length;
