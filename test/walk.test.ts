import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './setup/host-settings.ts';

/**
 * The pages that lead through the code name files, in code or as links, and functions. A name without a folder is of
 * the folder that was named last before it in the same line; `function()` is of the file that was.
 */
const PAGES = ['ARCHITECTURE.md', 'docs/walk.md'];
/** Fewer than these were found by none of the pages being read. */
const NAMED_MIN = 12;

/** In the reader's registry, not in this repository. */
const IN_A_REGISTRY = /^(programs|sources|status|data)\//;
const LINK = /\]\((?!https?:)([^)#]+)\)/g;
const CODE = /`([^`]+)`/g;
const FILE = /^[\w.-]+\.(ts|mjs|md|json|ya?ml)$/;
const FOLDERS = /^[\w.-]+(\/[\w.-]+)*\/$/;
const BELOW = /^[\w.-]+(\/[\w.-]+)+$/;
const FUNCTION = /^(\w+)\(\)$/;

interface Named {
  /** Below the root; of a function, its file, and `""` where the line names none before it. */
  path: string;
  function?: string;
}

function namedIn(page: string): Named[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const links = [...text.matchAll(LINK)].map(([, to = '']) => ({ path: normalize(join(dirname(page), to)) }));
  return [...links, ...text.split('\n').flatMap(namedInLine)];
}

function namedInLine(line: string): Named[] {
  let folder = '';
  let file = '';
  return [...line.matchAll(CODE)].flatMap(([, code = '']): Named[] => {
    const called = FUNCTION.exec(code)?.[1];
    if (called !== undefined) return [{ path: file, function: called }];
    if (IN_A_REGISTRY.test(code)) return [];
    if (FOLDERS.test(code)) {
      folder = code;
      return [{ path: code }];
    }
    if (!FILE.test(code) && !BELOW.test(code)) return [];
    file = BELOW.test(code) ? code : `${folder}${code}`;
    folder = `${dirname(file)}/`;
    return [{ path: file }];
  });
}

/** A declaration, an arrow, or a method; a call is none of these, and neither is a constant of another kind. */
function isDefined({ path, function: name = '' }: Named): boolean {
  if (path === '' || !existsSync(join(ROOT, path))) return false;
  const text = readFileSync(join(ROOT, path), 'utf8');
  const declared = `(?:export )?(?:async )?function\\*? ${name}\\b`;
  const arrow = `(?:export )?const ${name}(?:: [^=]*)? = (?:async )?(?:\\(|\\w+ =>)`;
  const method = `(?:async )?${name}\\([^)]*\\)(?:: [^;]*)? \\{$`;
  return new RegExp(`^\\s*(?:${declared}|${arrow}|${method})`, 'm').test(text);
}

for (const page of PAGES) {
  const named = namedIn(page);
  const files = named.filter((one) => one.function === undefined);

  test(`${page} names files that are there`, () => {
    const paths = new Set(files.map(({ path }) => path));
    assert.ok(paths.size >= NAMED_MIN, `it names ${paths.size}`);
    assert.deepEqual(
      [...paths].filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
  });
}

test('docs/walk.md names functions where they are', () => {
  const functions = namedIn('docs/walk.md').filter((one) => one.function !== undefined);
  const show = ({ path, function: name }: Named) => `${name}() in ${path === '' ? 'no file' : path}`;
  assert.ok(new Set(functions.map(show)).size >= NAMED_MIN, `it names ${functions.length}`);
  assert.deepEqual(functions.filter((one) => !isDefined(one)).map(show), []);
});

test('a file and a function that are not there are seen', () => {
  // `again` is there, and no function.
  const line = 'As `controller/loop/queue.ts` `createQueue()` `add()` and `again()` do, and `nowhere.ts`.';
  const [queue, ...rest] = namedInLine(line);
  assert.equal(queue?.path, 'controller/loop/queue.ts');
  assert.deepEqual(rest.map(isDefined), [true, true, false, false]);
  assert.equal(rest.at(-1)?.path, 'controller/loop/nowhere.ts');
});
