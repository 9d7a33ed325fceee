import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDockerignore } from '../../../registry/contexts/dockerignore.ts';

/** Rules, what they leave out, and what they do not. */
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
  ['[a-]x', ['-x', 'ax'], ['bx']],
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
];
for (const [rules, out, kept] of TABLE) {
  test(`rules ${JSON.stringify(rules)}`, () => {
    const ignores = readDockerignore(rules);
    for (const path of out) assert.equal(ignores(path), true, `${path} is left out`);
    for (const path of kept) assert.equal(ignores(path), false, `${path} is kept`);
  });
}

test('a malformed pattern is named with its line', () => {
  for (const pattern of ['[', '[]', '[a', '[b-a]', '[a-', 'a\\', '!']) {
    assert.throws(
      () => readDockerignore(`fine\n${pattern}\n`),
      /^Error: line 2: (the pattern|a "!")/,
      pattern,
    );
  }
});

test('hostile patterns take no time', () => {
  const before = process.cpuUsage();
  const ignores = readDockerignore(`${'*a'.repeat(30)}b\n${'**/'.repeat(30)}x\n(a+)+$\n${'a?'.repeat(50)}\n`);
  for (let index = 0; index < 100; index++) ignores(`${'a'.repeat(200)}/${'a/'.repeat(50)}${index}`);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 2e6, `${user} µs`);
  assert.throws(() => readDockerignore('*a'.repeat(300)), /wildcards/);
});
