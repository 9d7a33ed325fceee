import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { isAbsent } from '../../schemas/errors.ts';
import type { Coding } from '../http/accept.ts';

/** The page as `npm run build` made it, all of it in memory: some 20 files, half a megabyte. */
export interface BuiltPage {
  shell: PageFile;
  /** By path below the folder, with `/`; the shell is none of them. */
  files: ReadonlyMap<string, PageFile>;
}

export interface PageFile {
  /** Its Content-Type. */
  type: string;
  forms: ReadonlyMap<Coding, PageForm>;
}

export interface PageForm {
  body: Uint8Array;
  /** Without quotes; another for each form, as a strong one has to be. */
  etag: string;
}

const SHELL = 'index.html';
/** How often a page that changes under the reader is read again. */
const TRIES_MAX = 3;
const CODED: Readonly<Record<string, Coding>> = { '.br': 'br', '.gz': 'gzip' };
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/**
 * What gives the page: read when first asked for, and again when another was built in its place. Undefined where none
 * was built; one that was read stays until there is another.
 */
export function openBuiltPage(folder: string): () => Promise<BuiltPage | undefined> {
  let known: { mark: string; page: BuiltPage } | undefined;
  let reading: Promise<void> | undefined;

  return async () => {
    const mark = await markOf(folder);
    if (mark === undefined || mark === known?.mark) return known?.page;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    await reading;
    return known?.page;
  };

  async function read(): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const mark = await markOf(folder);
      const page = await readPage(folder).catch(unlessGone);
      // The same shell before and after: no half of another page is in it.
      if (page === undefined || mark === undefined || mark !== (await markOf(folder))) continue;
      known = { mark, page };
      return;
    }
  }
}

/** Another for each build, since the shell names what was built. */
async function markOf(folder: string): Promise<string | undefined> {
  const found = await stat(join(folder, SHELL), { bigint: true }).catch(unlessGone);
  return found && `${found.ino} ${found.size} ${found.mtimeNs}`;
}

async function readPage(folder: string): Promise<BuiltPage> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'));
  const files = new Map<string, PageFile>();
  for (const path of paths) {
    if (extname(path) in CODED) continue;
    const forms = new Map<Coding, PageForm>([['identity', await readForm(join(folder, path))]]);
    for (const [end, coding] of Object.entries(CODED)) {
      if (paths.includes(path + end)) forms.set(coding, await readForm(join(folder, path + end)));
    }
    files.set(path, { type: TYPES[extname(path)] ?? 'application/octet-stream', forms });
  }
  const shell = files.get(SHELL);
  if (shell === undefined) throw Object.assign(new Error(`${SHELL} went away`), { code: 'ENOENT' });
  files.delete(SHELL);
  return { shell, files };
}

async function readForm(path: string): Promise<PageForm> {
  const body = await readFile(path);
  return { body, etag: createHash('sha256').update(body).digest('base64url').slice(0, 22) };
}

function unlessGone(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}
