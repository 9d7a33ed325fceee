import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './setup/host-settings.ts';

const PAGES = [
  ...['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'findings/README.md'],
  ...['docs', 'docs/adr'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

/** The README is what somebody reads who has two minutes. */
const README_LINES_MAX = 80;

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** Where a page can be entered, by its headings, as GitHub names them. */
function anchorsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('every link between the pages leads somewhere', () => {
  const wrong: string[] = [];
  let count = 0;
  for (const page of PAGES) {
    const from = join(ROOT, page);
    for (const [, target = ''] of withoutCode(readFileSync(from, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      count++;
      const [path = '', anchor] = target.split('#');
      const to = path === '' ? from : resolve(dirname(from), path);
      const isThere = existsSync(to) && !relative(ROOT, to).startsWith('..');
      if (!isThere || (anchor !== undefined && !(statSync(to).isFile() && anchorsOf(to).includes(anchor))))
        wrong.push(`${page}: ${target}`);
    }
  }
  assert.ok(count > 50, `${count} links`);
  assert.deepEqual(wrong, []);
});

test('the README is short, and leads to every page of docs/', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  assert.ok(text.split('\n').length <= README_LINES_MAX);
  for (const page of PAGES.filter((name) => /^docs\/[^/]+\.md$/.test(name)))
    assert.ok(text.includes(`](${page})`), page);
});
