import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Language, languageOf, tokenLines } from '../../api/ui/parts/code-tokens.ts';

/** Lines as `ink(text)`, plain ink as it is. */
const drawn = (text: string, language: Language) =>
  tokenLines(text, language).map((line) =>
    line.map((token) => (token.ink === undefined ? token.text : `${token.ink}(${token.text})`)).join(''),
  );

const TABLE: readonly [Language, string, string[]][] = [
  [
    'yaml',
    '# a\nspec:\n  - name: "x" # b',
    ['note(# a)', 'key(spec):', '  - key(name): text("x") note(# b)'],
  ],
  ['yaml', "at: it's#no # c", ["key(at): it's#no note(# c)"]],
  ['yaml', 'url: http://x:80/a', ['key(url): http://x:80/a']],
  ['dockerfile', 'FROM --platform=x a AS b', ['word(FROM) key(--platform)=x a word(AS) b']],
  ['dockerfile', 'RUN echo FROM "a" # no', ['word(RUN) echo FROM text("a") # no']],
  ['json', '{"a": "b", "n": null}', ['{key("a"): text("b"), key("n"): word(null)}']],
  ['js', 'const a = `x\ny`; // z', ['word(const) a = text(`x)', 'text(y`); note(// z)']],
  [
    'go',
    'func f() { /* a\nb */ return "c" }',
    ['word(func) f() { note(/* a)', 'note(b */) word(return) text("c") }'],
  ],
  ['py', 'def f():\n  """a\n  b"""', ['word(def) f():', '  text("""a)', 'text(  b""")']],
  ['text', 'return "a"', ['return "a"']],
];

for (const [language, text, want] of TABLE)
  test(`${language}: ${JSON.stringify(text)}`, () => assert.deepEqual(drawn(text, language), want));

test('the pieces of all lines are the text, also of what is no such language, and quickly', () => {
  const odd = `${'"'.repeat(999)}\n'''\n/*\n\`\${a\n${'a: '.repeat(9999)}\n${' '.repeat(50_000)}x`;
  for (const language of ['yaml', 'dockerfile', 'json', 'js', 'go', 'py', 'text'] as const) {
    const lines = tokenLines(odd, language).map((line) => line.map(({ text }) => text).join(''));
    assert.equal(lines.join('\n'), odd, language);
  }
});

test('a file is known by its name', () => {
  const of = ['a/Dockerfile', 'dev.Dockerfile', 'x.yml', 'a.d/main.go', 'b.tsx', 'c.py', 'go.sum', 'README'];
  assert.deepEqual(of.map(languageOf), [
    'dockerfile',
    'dockerfile',
    'yaml',
    'go',
    'js',
    'py',
    'text',
    'text',
  ]);
});
