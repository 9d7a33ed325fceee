/** What is about to be sent, as the browser gives it: nothing of it is read before it is asked for. */
export type TreeNode = TreeFolder | TreeFile;

export interface TreeFolder {
  name: string;
  isFolder: true;
  children(): Promise<readonly TreeNode[]>;
}

export interface TreeFile {
  name: string;
  isFolder: false;
  blob(): Promise<Blob>;
}

/** A file that was chosen; `path` has the folders above it, with `/`. */
export interface Chosen {
  path: string;
  blob: Blob;
}

/** The tree of what `<input type=file>` gives. One folder that holds all of it is no part of their names. */
export function treeOf(chosen: readonly Chosen[]): TreeFolder {
  const root = emptyFolder('');
  for (const { path, blob } of chosen) {
    const parts = path.split('/').filter((part) => part !== '');
    const name = parts.pop();
    if (name === undefined) continue;
    let at = root;
    for (const part of parts) at = at.folder(part);
    at.add({ name, isFolder: false, blob: async () => blob });
  }
  return top(root.own());
}

/** The only folder there is, or all of them. */
export function top(nodes: readonly TreeNode[]): TreeFolder {
  const [only] = nodes;
  if (nodes.length === 1 && only?.isFolder === true) return only;
  return { name: '', isFolder: true, children: async () => nodes };
}

/** The folder of that path within another, with `/`; undefined where there is none. */
export async function folderIn(root: TreeFolder, path: string): Promise<TreeFolder | undefined> {
  let at: TreeFolder | undefined = root;
  for (const part of path.split('/')) {
    const nodes: readonly TreeNode[] = (await at?.children()) ?? [];
    at = nodes.find((node): node is TreeFolder => node.isFolder && node.name === part);
  }
  return at;
}

interface Growing extends TreeFolder {
  folder(name: string): Growing;
  add(file: TreeFile): void;
  own(): readonly TreeNode[];
}

function emptyFolder(name: string): Growing {
  const folders = new Map<string, Growing>();
  const files: TreeFile[] = [];
  const own = () => [...folders.values(), ...files];
  return {
    ...{ name, isFolder: true, own },
    children: async () => own(),
    add: (file) => void files.push(file),
    folder(inner) {
      const known = folders.get(inner) ?? emptyFolder(inner);
      folders.set(inner, known);
      return known;
    },
  };
}
