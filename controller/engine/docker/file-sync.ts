import { extract } from 'tar-stream';

/** What a tar has under a name: where its bytes are in it. */
export interface SyncedFile {
  /** As in the context, with `/`. */
  name: string;
  /** As Go's `os.FileMode` has it. */
  mode: number;
  size: number;
  linkname: string;
  /** Of its contents in the tar. */
  offset: number;
}

const GO_FOLDER = 0x8000_0000;
const GO_LINK = 0x0800_0000;

/**
 * Lists a tar in the order in which BuildKit takes files: a folder before what lies in it, and all of that before
 * anything else. Folders that are missing above a file are added.
 */
export async function listTar(tar: NodeJS.ReadableStream): Promise<SyncedFile[]> {
  const files = new Map<string, SyncedFile>();
  const unpacked = extract();
  tar.once('error', (error) => unpacked.destroy(error as Error));
  tar.pipe(unpacked);
  for await (const entry of unpacked) {
    const { type, mode = 0o644, size = 0, linkname } = entry.header;
    const name = entry.header.name.replace(/\/$/, '');
    const kind = type === 'directory' ? GO_FOLDER : type === 'symlink' ? GO_LINK : 0;
    const offset = (entry.header as { byteOffset?: number }).byteOffset ?? 0;
    files.set(name, { name, mode: (kind | mode) >>> 0, size, linkname: linkname ?? '', offset });
    entry.resume();
  }
  return withFolders([...files.values()]);
}

/** @param files in any order */
export function withFolders(files: readonly SyncedFile[]): SyncedFile[] {
  const all = new Map(files.map((file) => [file.name, file]));
  for (const { name } of files) {
    for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
      const folder = name.slice(0, at);
      if (!all.has(folder))
        all.set(folder, { name: folder, mode: (GO_FOLDER | 0o755) >>> 0, size: 0, linkname: '', offset: 0 });
    }
  }
  const order = (name: string) => Buffer.from(name.replaceAll('/', '\0'));
  return [...all.values()]
    .map((file) => ({ file, key: order(file.name) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ file }) => file);
}

export const isRegular = ({ mode }: SyncedFile): boolean => mode < GO_LINK;
