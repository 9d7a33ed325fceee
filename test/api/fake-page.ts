import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A page as a build leaves it, as small as can be. */
export const PAGE_FILES: Readonly<Record<string, string>> = {
  'index.html': '<!doctype html><title>the page</title>',
  'index.html.br': 'the page, by brotli',
  'index.html.gz': 'the page, by gzip',
  'icon.svg': '<svg/>',
  'assets/main-0a1b2c.js': 'go()',
  'assets/main-0a1b2c.js.gz': 'go, by gzip',
  'assets/main-3d4e5f.css': 'a{}',
  'assets/notes.bin': '\u0001',
};

/** A folder with these files, for the rest of this process. */
export function fakePage(files: Readonly<Record<string, string>> = PAGE_FILES): string {
  const folder = mkdtempSync(join(tmpdir(), 'hersh-page-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  writePage(folder, files);
  return folder;
}

export function writePage(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
