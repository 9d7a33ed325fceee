import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { compressAll } from '../../api/ui/build/compress.ts';
import { firstLoad } from '../../api/ui/build/first-load.ts';

function folderWith(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hersh-build-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'assets'));
  for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);
  return folder;
}

test('files are compressed where that makes them smaller, and are themselves again', async (t) => {
  const text = 'let it = be;\n'.repeat(100);
  const folder = folderWith(t, {
    'assets/a.js': text,
    'assets/noise.js': randomBytes(500),
    'assets/font.woff2': text,
    'index.html': text,
  });
  await compressAll(folder);
  assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), [
    'assets',
    ...['assets/a.js', 'assets/a.js.br', 'assets/a.js.gz', 'assets/font.woff2', 'assets/noise.js'],
    ...['index.html', 'index.html.br', 'index.html.gz'],
  ]);
  assert.equal(brotliDecompressSync(readFileSync(join(folder, 'assets/a.js.br'))).toString(), text);
  assert.equal(gunzipSync(readFileSync(join(folder, 'assets/a.js.gz'))).toString(), text);
});

test('the first load is the shell and what it names, compressed, and nothing that is loaded later', async (t) => {
  const html = `<link rel="icon" href="/ui/icon.svg" />
    <script type="module" crossorigin src="/ui/assets/main.js"></script>
    <link rel="modulepreload" crossorigin href="/ui/assets/shared.js">
    <link rel="stylesheet" crossorigin href="/ui/assets/main.css">`;
  const folder = folderWith(t, {
    'index.html': html,
    'index.html.br': '1'.repeat(10),
    'assets/main.js': '1'.repeat(5000),
    'assets/main.js.br': '1'.repeat(200),
    'assets/main.js.gz': '1'.repeat(300),
    'assets/shared.js': '1'.repeat(1000),
    'assets/main.css': '1'.repeat(30_000),
    'assets/editor.js': '1'.repeat(900_000),
  });
  assert.deepEqual(await firstLoad(folder), {
    files: ['index.html', 'assets/main.js', 'assets/shared.js', 'assets/main.css'],
    bytes: 10 + 200 + 1000 + 30_000,
  });
});

test('a page that loads from elsewhere, or names what is not there, is none', async (t) => {
  const named = (src: string) => folderWith(t, { 'index.html': `<script src="${src}"></script>` });
  await assert.rejects(firstLoad(named('https://cdn.example/x.js')), /cdn\.example.*not its own/);
  await assert.rejects(firstLoad(named('/ui/assets/gone.js')), /ENOENT/);
});
