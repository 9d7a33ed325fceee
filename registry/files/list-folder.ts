import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One name of a folder. */
export interface Listed {
  /** As text; of what is no UTF-8, with a replacement for what can not be read. */
  base: string;
  /** How the file system is asked for it: in bytes where the name is no text. */
  path: string | Buffer;
  isText: boolean;
}

/** Every name in a folder. Rejects as `readdir` does. Names are bytes, and one that is no text is there all the same. */
export async function listFolder(folder: string | Buffer): Promise<Listed[]> {
  const names = await readdir(folder, { encoding: 'buffer' });
  return names.map((bytes) => {
    const base = bytes.toString('utf8');
    // The replacement character may also stand in a name for itself.
    const isText = !base.includes('\uFFFD') || Buffer.from(base).equals(bytes);
    const isPlain = isText && typeof folder === 'string';
    const path = isPlain ? join(folder, base) : Buffer.concat([Buffer.from(folder), Buffer.from('/'), bytes]);
    return { base, path, isText };
  });
}

/** A path in which the bytes that are no text are given as `\xE9`. */
export function printable(path: string | Buffer): string {
  if (typeof path === 'string') return path;
  const [text = '', ...rest] = path.toString('utf8').split('\uFFFD');
  if (rest.length === 0) return text;
  const bytes = [...path].map((byte) => String.fromCharCode(byte)).join('');
  return bytes.replace(/[\x80-\xff]/g, (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
