import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { MANIFEST_BYTES_MAX, newManifest, parseManifest } from '../../../registry/manifests/manifest.ts';
import { describeProblem } from '../../../schemas/errors.ts';

const read = (text: string, stem = 'x') =>
  parseManifest(text, `programs/${stem}.yaml`, stem, { runtime: 'runc' });
const problems = (text: string) => read(text).problems.map(describeProblem);

const HEAD =
  'apiVersion: hersh.dev/v1\nkind: Program\nmetadata:\n  name: x\nspec:\n  userId: u\n  image: nginx\n';

test('the example of the contract, to the column', () => {
  const text = `# one
apiVersion: hersh.dev/v1
kind: Program
metadata:
  name: x
spec:
  userId: my-user
  build:
    context: sources/a
  env:
    KEY: value
  publishPort: "19005"
`;
  assert.deepEqual(problems(text), ['programs/x.yaml:12:16: spec.publishPort must be an integer']);
});

const PLACES: [string, string, string][] = [
  [
    'an unknown field is shown at its name',
    `${HEAD}  publishport: 19005\n`,
    '8:3: spec.publishport is not a known',
  ],
  [
    'a field without its value is shown at its name',
    `${HEAD}  publishPort:\n`,
    '8:3: spec.publishPort must be an',
  ],
  ['so is one with a comment only', `${HEAD}  publishPort: # later\n`, '8:3: spec.publishPort must be an'],
  [
    'a reserved name is shown at the name',
    `${HEAD}  env:\n    HERSH_A: b\n`,
    '9:5: spec.env.HERSH_A is reserved',
  ],
  [
    'a value in flow form',
    `${HEAD}  resources: {memory: 1, cpus: 1}\n`,
    '8:23: spec.resources.memory must be bytes',
  ],
  ['a list where a mapping belongs', `${HEAD}  env:\n    - A=1\n`, '9:5: spec.env must be a mapping'],
  ['keys with dots', `${HEAD}  env:\n    a: x\n    a.b: 1\n`, '10:10: spec.env.a.b must be a string'],
  ['status', `${HEAD}status: {}\n`, '8:1: status does not belong in a manifest'],
  [
    'what is missing is shown where it should be',
    HEAD.replace('image: nginx', 'build: {}'),
    '7:10: spec.build.context is required',
  ],
  ['a syntax error', `${HEAD}  env: [a\n`, '9:1: '],
  ['a tab', `${HEAD}\tenv: {}\n`, '8:1: '],
  ['a name that is there twice', `${HEAD}  userId: v\n`, '8:3: Map keys must be unique'],
  ['two documents', `${HEAD}---\n${HEAD}`, '8:1: the file holds more than one document: one Program a file'],
  ['an anchor that is not there', `${HEAD}  env: *no\n`, '8:8: no anchor &no stands before'],
  [
    'an alias is shown where it stands',
    `${HEAD}  env: {A: &a "1"}\n  publishPort: *a\n`,
    '9:16: spec.publishPort must be an integer',
  ],
  ['CRLF', `${HEAD}  publishPort: a\n`.replaceAll('\n', '\r\n'), '8:16: spec.publishPort must be an integer'],
  [
    'a byte order mark takes no column',
    `\uFEFFkind: 7\n${HEAD.replace('kind: Program\n', '')}`,
    '1:7: kind must be "Program"',
  ],
];
for (const [what, text, want] of PLACES) {
  test(`place: ${what}`, () => {
    const first = problems(text)[0] ?? 'no problem';
    assert.ok(first.startsWith(`programs/x.yaml:${want}`), first);
  });
}

test('problems come in the order of the text', () => {
  const found = read(`${HEAD}  runtime: a\n  publishPort: b\n  env: c\n`).problems;
  assert.deepEqual(
    found.map(({ line }) => line),
    [8, 9, 10],
  );
});

test('what is no manifest at all is said in words', () => {
  const empty = 'programs/x.yaml:1:1: the file is empty: it must hold one Program';
  for (const text of ['', '\n\n', '# nothing yet\n', '---\n'])
    assert.deepEqual(problems(text), [empty], text);
  const whole = 'the file must hold one Program: a mapping with apiVersion, kind, metadata and spec';
  for (const text of ['hello', '- a\n- b\n', '42', 'null']) {
    assert.equal(read(text).problems[0]?.message, whole, text);
  }
  assert.deepEqual(problems('\x7fELF\0\0'), ['programs/x.yaml: the file is not UTF-8 text']);
  assert.deepEqual(problems(`${HEAD}# \uFFFD`), ['programs/x.yaml: the file is not UTF-8 text']);
  assert.deepEqual(problems('x'.repeat(MANIFEST_BYTES_MAX + 1)), [
    'programs/x.yaml: the file is larger than 1048576 bytes',
  ]);
});

test('layouts people use are read', () => {
  for (const text of [
    HEAD,
    HEAD.trimEnd(),
    HEAD.replaceAll('\n', '\r\n'),
    `\uFEFF${HEAD}`,
    `---\n${HEAD}...\n`,
    `%YAML 1.2\n---\n${HEAD}`,
    `# comment\n\n${HEAD}\n# end`,
    '{apiVersion: hersh.dev/v1, kind: Program, metadata: {name: x}, spec: {userId: u, image: nginx}}',
    JSON.stringify({
      apiVersion: 'hersh.dev/v1',
      kind: 'Program',
      metadata: { name: 'x' },
      spec: { userId: 'u', image: 'n' },
    }),
    `${HEAD}  env: &e {A: "1"}\n`,
    `${HEAD}  readiness: &p {path: /}\n  liveness: *p\n`,
  ]) {
    assert.deepEqual(problems(text), [], text);
  }
});

test('an unquoted time stays text', () => {
  assert.equal(
    read(`${HEAD}  restartedAt: 2026-11-22T10:00:00.000Z\n`).program?.rawSpec.restartedAt,
    '2026-11-22T10:00:00.000Z',
  );
});

test('the written name is known even where the manifest is wrong', () => {
  assert.equal(read(`${HEAD}  publishPort: a\n`).writtenName, 'x');
  assert.equal(read(HEAD, 'y').writtenName, 'x');
  assert.equal(read('metadata: {name: 7}').writtenName, '');
  assert.equal(read('a: [').writtenName, '');
  assert.equal(read('[]').writtenName, '');
});

/** Texts that cost a naive reader minutes, all its memory, or the process. */
const HOSTILE: [string, string, RegExp][] = [
  ['brackets', '['.repeat(1e6), /nested too deeply/],
  ['braces', '{'.repeat(1e6), /nested too deeply/],
  ['lists in lists', '- '.repeat(5e5), /nested too deeply/],
  ['keys of keys', '? '.repeat(5e5), /nested too deeply/],
  [
    'indentation',
    Array.from({ length: 1300 }, (_, index) => `${' '.repeat(index)}a:\n`).join(''),
    /nested too deeply/,
  ],
  ['many keys', Array.from({ length: 1e5 }, (_, index) => `k${index}:`).join('\n'), /too many parts/],
  ['many quotes', '"'.repeat(1e6), /too many parts/],
  ['many lines', '\n'.repeat(1e6), /too many parts/],
  [
    'many anchors',
    Array.from({ length: 5e4 }, (_, index) => `- &a${index} x`).join('\n'),
    /too many anchors/,
  ],
  ['many aliases', `a: &a x\nb: [${'*a ,'.repeat(5e4)}]`, /too many anchors/],
  ['bad escapes', `"${'\\q'.repeat(3e5)}"`, /too many bad escapes/],
  ['many documents', '---\n'.repeat(2e5), /more than one document/],
  [
    'an alias bomb',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`).join('\n')}`,
    /its aliases and merges come to too many parts/,
  ],
];
test('hostile texts are refused in no time', () => {
  for (const [what, text, want] of HOSTILE) {
    const before = process.cpuUsage();
    assert.match(problems(text)[0] ?? '', want, what);
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 2e6, `${what} took ${user + system} µs`);
  }
});

test('no message is endless', () => {
  const key = 'k'.repeat(1e5);
  for (const text of [`${HEAD}  ${key}: 1\n`, `!${key} a`, `${HEAD}  userId2: "${key}"\n`]) {
    for (const problem of problems(text)) assert.ok(problem.length < 600, `${problem.length}`);
  }
});

test('whatever the text, there is an answer, inside the text', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'apiVersion: hersh.dev/v1\n',
      'spec:\n',
      '  userId: u\n',
      ': ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '\n',
      '\r\n',
      '\t',
    ),
    fc.constantFrom(
      '&a ',
      '*a',
      '"',
      "'",
      '|\n',
      '>-\n',
      '#',
      '? ',
      '!!int ',
      '---\n',
      '...\n',
      '%YAML 1.1\n',
      '<<: ',
      '__proto__: 1\n',
      '\uFEFF',
    ),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = pieces.join('');
      const lines = text.split(/\r\n|\r|\n/).length;
      const parsed = read(text);
      assert.equal(parsed.program === undefined, parsed.problems.length > 0);
      for (const { line = 1, column = 1 } of parsed.problems)
        assert.ok(line >= 1 && line <= lines && column >= 1);
    }),
    { numRuns: 200 },
  );
});

test('the manifest a POST writes is valid, whatever the user is called', () => {
  for (const user of ['my-user', '007', '1e3', 'null', 'true', 'No', '0x1F', '1_000', '2026-01-01']) {
    const text = newManifest('x', user, 'sources/build-abc123def456');
    assert.deepEqual(problems(text), []);
    assert.deepEqual(parse(text).spec, {
      userId: user,
      desiredState: 'Stopped',
      build: { context: 'sources/build-abc123def456' },
    });
  }
});

test('the hint to quote names what was written, not what YAML made of it', () => {
  for (const written of ['0123', '0x1F', '1.10', '1e3', 'True', '0o17', '+5', '.5']) {
    const text = `apiVersion: hersh.dev/v1\nkind: Program\nmetadata: {name: x}\nspec:\n  userId: u\n  image: x\n  env:\n    A: ${written}\n`;
    const [problem] = parseManifest(text, 'programs/x.yaml', 'x', { runtime: 'runc' }).problems;
    assert.equal(problem?.message, `spec.env.A must be a string; put it in quotes: "${written}"`);
    assert.deepEqual([problem?.line, problem?.column], [8, 8]);
  }
});
