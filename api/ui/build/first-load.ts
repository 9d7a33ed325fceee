import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a browser gets before it shows something, compressed by brotli (issue 11, 10). */
export const FIRST_LOAD_BYTES_MAX = 120_000;

const BASE = '/ui/';
const SCRIPT = /<script\b[^>]*\bsrc="([^"]+)"/g;
const LINK = /<link\b[^>]*\brel="(?:stylesheet|modulepreload)"[^>]*>/g;

/**
 * The built shell and what it names: scripts with all that they need at once, and styles. What is loaded later, such as
 * the editor, is not in it.
 */
export async function firstLoad(folder: string): Promise<{ files: string[]; bytes: number }> {
  const html = await readFile(join(folder, 'index.html'), 'utf8');
  const named = namedIn(html).map((path) => {
    if (!path.startsWith(BASE)) throw new Error(`the page loads ${path}, which is not its own`);
    return path.slice(BASE.length);
  });
  const files = ['index.html', ...named];
  const sizes = await Promise.all(files.map((file) => sizeOf(join(folder, file))));
  return { files, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** Paths of scripts and styles in a page that Vite has written. */
function namedIn(html: string): string[] {
  const scripts = [...html.matchAll(SCRIPT)].map(([, path = '']) => path);
  const links = [...html.matchAll(LINK)].map(([link]) => /\bhref="([^"]+)"/.exec(link)?.[1] ?? '');
  return [...new Set([...scripts, ...links])];
}

/** As it is where brotli made it no smaller. */
async function sizeOf(path: string): Promise<number> {
  const { size } = await stat(`${path}.br`).catch(() => stat(path));
  return size;
}
