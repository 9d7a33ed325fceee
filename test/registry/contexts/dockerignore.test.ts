import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { readDockerignore } from '../../../registry/contexts/dockerignore.ts';
import { clean } from '../../../registry/contexts/ignore-lines.ts';
import { createWork, SLICE_STEPS } from '../../../registry/contexts/work.ts';

/**
 * Rules, what they leave out, and what they do not: by buildx 0.13.1 with Docker 26.1.5. `npm run fuzz -- dockerignore`
 * compares more of them, with the real one.
 */
const TABLE: [string, string[], string[]][] = [
  ['', [], ['a', 'a/b']],
  ['a', ['a', 'a/b', 'a/b/c'], ['b/a', 'ab']],
  ['/a/', ['a', 'a/b'], ['b/a']],
  ['./a/../b', ['b', 'b/c'], ['a']],
  ['*', ['a', 'a/b', '.env'], []],
  ['*.md', ['x.md', '.md'], ['a/x.md', 'xmd']],
  ['*/*.md', ['a/x.md'], ['x.md', 'a/b/x.md']],
  ['**/*.md', ['x.md', 'a/x.md', 'a/b/x.md'], ['x.mdx']],
  [
    '**/node_modules',
    ['node_modules', 'a/node_modules/b', 'node_modules/x'],
    ['my_node_modules', 'node_modules2'],
  ],
  ['**/b/**', ['b/x', 'a/b/x/y'], ['b', 'ab/x']],
  ['**', ['a', 'a/b'], []],
  ['a/**', ['a/b', 'a/b/c'], ['a', 'ab/c']],
  ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z', 'a/z/y'], ['az', 'a/bz']],
  ['**.log', ['x.log', 'a/x.log', '.log'], ['x.logs']],
  ['a?c', ['abc', 'a.c'], ['ac', 'a/c', 'abbc']],
  ['[a-c]x', ['ax', 'cx', 'ax/y'], ['dx', '-x']],
  ['[^a]x', ['bx'], ['ax', 'x']],
  ['[a\\]]x', [']x', 'ax'], ['\\x']],
  ['\\*x', ['*x'], ['ax']],
  ['a+(b)|{c}^$', ['a+(b)|{c}^$'], ['aab', 'b']],
  ['ä*', ['ä', 'äö'], ['a']],
  ['?', ['\u{1F600}'], ['ab']],
  ['*\n!keep', ['a', 'keeper'], ['keep', 'keep/a']],
  ['!a\na', ['a'], []],
  ['a\n!a/b', ['a', 'a/c'], ['a/b', 'a/b/c']],
  ['*\n!*.js\nsecret.js', ['a', 'secret.js'], ['x.js']],
  [' a \r\n\t\r\n# b\r\nc', ['a', 'c'], ['b', '# b']],
  [' # b', ['# b'], ['b']],
  ['\uFEFFa', ['a'], []],
  ['! b\n', [], ['b']],
  ['constructor\n__proto__', ['constructor', '__proto__/x'], ['toString']],
  // An exception lets back in only what was out, a folder's too.
  ['a/b\n!a', ['a/b'], ['a', 'a/c']],
  ['a\n!a/b\na', ['a', 'a/c'], ['a/b']],
  ['*\n!a\na/b', ['c', 'a/b'], ['a', 'a/c']],
  // Cleaned after the `!`, and once more with it.
  ['*\n!./x/../a/', ['b'], ['a', 'a/b']],
  ['*\n!/a', ['b'], ['a']],
  ['*\n/!a', ['b'], ['a']],
  ['*\n!!a', ['a'], ['!a']],
  ['\u0085a\u00A0', ['a'], []],
  // What RE2 makes of it: `*` in brackets ends them, `^` is the beginning, `\d` a digit.
  ['[*]a', ['//]a', '[]a', ']a'], ['*a']],
  ['a^*', [], ['a^', 'a^b']],
  ['^a*', ['ab'], ['^ab']],
  ['\\d', ['1'], ['d']],
  ['a]?', ['a]b'], ['a]']],
  ['a*b\\', ['ab$', 'axb$y'], ['ab\\']],
];
for (const [rules, out, kept] of TABLE) {
  test(`rules ${JSON.stringify(rules)}`, async () => {
    const { leavesOut } = await readDockerignore(rules, createWork());
    for (const path of out) assert.equal(await leavesOut(path, false), true, `${path} is left out`);
    for (const path of kept) assert.equal(await leavesOut(path, false), false, `${path} is kept`);
  });
}

test('a malformed pattern is named with its line', async () => {
  for (const pattern of [
    '[',
    '[]',
    '[a',
    '[a-',
    '[a-]',
    '[-a]',
    'a\\',
    '!',
    '!/',
    '?*[',
    'x'.repeat(65_536),
  ]) {
    await assert.rejects(
      readDockerignore(`fine\n${pattern}\n`, createWork()),
      /^Error: line 2: (the pattern|a "!"|it has)/,
    );
  }
});

test('what is wrong behind the first star, or with a range, shows when it is asked', async () => {
  for (const pattern of ['a*[', '[b-a]', '\\y', 'a*[[:alpha:]]']) {
    const { leavesOut } = await readDockerignore(`x\n${pattern}\n`, createWork());
    assert.equal(await leavesOut('x', false), true, 'it is not asked');
    await assert.rejects(leavesOut('b', false), /^Error: line 2: the pattern/, pattern);
  }
});

test('it is known what a folder that is left out may still hold', async () => {
  const may = async (rules: string, folder: string) =>
    (await readDockerignore(rules, createWork())).mayLetIn(folder);
  assert.equal(await may('*', 'a'), false);
  assert.equal(await may('*\n!a/b/c', 'a/b'), true);
  assert.equal(await may('*\n!a/b/**', 'a/b'), true);
  assert.equal(await may('*\n!a/b/c', 'b'), false);
  assert.equal(await may('*\n!**/x', 'b'), true);
});

/** Counts what is done between two yields. */
function counted(stepsMax?: number) {
  let since = 0;
  const turns: number[] = [];
  const turn = async (): Promise<void> => {
    turns.push(since);
    since = 0;
  };
  const work = createWork(turn, stepsMax);
  const spend = (steps: number): boolean => {
    since += steps;
    return work.spend(steps);
  };
  return { turns, work: { ...work, spend } };
}

test('hundreds of wildcards are fine, and hostile ones are done a slice at a time, up to a bound', async () => {
  const many = Array.from({ length: 288 }, (_, index) => `**/*.${index}`).join('\n');
  const { leavesOut } = await readDockerignore(many, createWork());
  assert.equal(await leavesOut('a/b/c.287', false), true);
  const hostile = `${'*a'.repeat(2_000)}b\n`.repeat(3);
  const { work, turns } = counted(20 * SLICE_STEPS);
  const rules = await readDockerignore(hostile, work);
  await assert.rejects(async () => {
    for (;;) await rules.leavesOut(`${'a'.repeat(4_000)}b`, false);
  }, /^TooMuchWork|take too long/);
  assert.ok(turns.length >= 15, `${turns.length} turns`);
  assert.ok(Math.max(...turns) < 2 * SLICE_STEPS, `${Math.max(...turns)} steps at a time`);
});

test('a long file of rules is read in slices', async () => {
  const { work, turns } = counted();
  await readDockerignore('abc\n'.repeat(200_000), work);
  assert.ok(turns.length >= 3 && Math.max(...turns) < 2 * SLICE_STEPS, String(turns));
});

test('paths are cleaned as Go does, which is as Node does but for the slash at the end', () => {
  const parts = ['a', '..', '.', '', 'b c', '...', '!x'];
  // Each of seven parts at each of five places.
  for (let n = 0; n < parts.length ** 5; n++) {
    const path = Array.from(
      { length: 5 },
      (_, at) => parts[Math.floor(n / parts.length ** at) % parts.length],
    ).join('/');
    assert.equal(clean(path), posix.normalize(path).replace(/(?<=.)\/$/s, ''), path);
  }
});

test('what is kept of the folders above a name is bounded, and most of it is in common', async () => {
  const deep = (depth: number) => Array.from({ length: depth }, (_, at) => `d${at}`).join('/');
  // Each matches the first folder and none below: all have that in common.
  const common = await readDockerignore('d0\n!d0\n'.repeat(5_000), createWork());
  assert.equal(await common.leavesOut(deep(1_000), false), false);
  // Each folder matches one pair more than the one above it.
  const pairs = Array.from({ length: 600 }, (_, at) => `**/d${at}\n!**/d${at}`).join('\n');
  const more = `${'d0\n!d0\n'.repeat(2_000)}${pairs}`;
  assert.equal(await (await readDockerignore(more, createWork())).leavesOut(deep(50), false), false);
  const rules = await readDockerignore(more, createWork());
  await assert.rejects(rules.leavesOut(deep(600), false), /match each of so many folders/);
});
