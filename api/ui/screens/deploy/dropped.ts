import { type TreeFolder, type TreeNode, top } from './tree.ts';

export interface Dropped {
  tree: TreeFolder;
  /** Files alone go beside what is there; a folder takes its place. */
  hasFolder: boolean;
}

/** What was dropped, whole trees of it; undefined where no file was, but text or a link. */
export function dropped(entries: readonly FileSystemEntry[]): Dropped | undefined {
  if (entries.length === 0) return undefined;
  return { tree: top(entries.map(nodeOf)), hasFolder: entries.some((entry) => entry.isDirectory) };
}

function nodeOf(entry: FileSystemEntry): TreeNode {
  const { name } = entry;
  if (entry.isDirectory)
    return { name, isFolder: true, children: () => childrenOf(entry as FileSystemDirectoryEntry) };
  const file = entry as FileSystemFileEntry;
  return {
    name,
    isFolder: false,
    blob: () => new Promise<File>((resolve, reject) => file.file(resolve, reject)),
  };
}

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<TreeNode[]> {
  const reader = folder.createReader();
  const nodes: TreeNode[] = [];
  for (;;) {
    // Some at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return nodes;
    nodes.push(...some.map(nodeOf));
  }
}
