import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { replaceSpec } from '../../../registry/manifests/edit-text.ts';

const HEAD = 'apiVersion: hersh.dev/v1 # v\nkind: "Program"\nmetadata: {name: x,   labels: { a: b}}\n';
type Data = Record<string, unknown>;
const specOf = (text: string): Data => parse(text).spec;

/** What is changed in `spec` by key path (undefined: removed), and the text before and after, byte for byte. */
const EXACT: [what: string, changes: Record<string, unknown>, before: string, after: string][] = [
  [
    'scalars deep in maps',
    { 'env.MSG': 'hi', 'build.context': 'sources/f' },
    `spec:
  userId: me
  build:  # from here
    context: sources/e  # e's folder
  env:
    # greeting
    MSG: "hello"  # trailing
    OTHER:   'x'
  readiness: {path: /, periodSeconds: 2}
# end
`,
    `spec:
  userId: me
  build:  # from here
    context: sources/f  # e's folder
  env:
    # greeting
    MSG: "hi"  # trailing
    OTHER:   'x'
  readiness: {path: /, periodSeconds: 2}
# end
`,
  ],
  [
    'a value in flow form',
    { 'readiness.path': '/a, b' },
    'spec:\n  readiness: { path: /,periodSeconds:   2 } # c\n',
    'spec:\n  readiness: { path: "/a, b",periodSeconds:   2 } # c\n',
  ],
  [
    'the kind of a probe',
    { readiness: { tcp: true } },
    'spec:\n  # r\n  readiness: {path: /} # c\n  a: 1\n',
    'spec:\n  # r\n  readiness: {tcp: true} # c\n  a: 1\n',
  ],
  [
    'the kind of a probe in block form',
    { readiness: { tcp: true } },
    'spec:\n  readiness: # r\n      # path\n      path: / # p\n  a: 1\n',
    'spec:\n  readiness: # r\n      # path\n      tcp: true\n  a: 1\n',
  ],
  [
    'a key removed with the comment above it, others with theirs',
    { 'env.B': undefined },
    'spec:\n  env:\n    # all\n    A: a # a\n\n    # of B\n    # too\n    B: |\n      # text\n\n    # of C\n    C: c\n  a: 1\n',
    'spec:\n  env:\n    # all\n    A: a # a\n\n\n    # of C\n    C: c\n  a: 1\n',
  ],
  [
    'the first key removed',
    { 'env.A': undefined },
    'spec:\n  env:\n    # all\n    A: a # a\n    B: b\n',
    'spec:\n  env:\n    # all\n    B: b\n',
  ],
  [
    'the last key of a map removed',
    { 'env.A': undefined },
    'spec:\n  env: # e\n    A: a\n  # n\n  a: 1\n',
    'spec:\n  env: {} # e\n  # n\n  a: 1\n',
  ],
  [
    'keys added',
    { 'env.B': 'yes', 'env.C': 'l\nm\n', 'args.X': '2026-01-01', new: { deep: ['a'] } },
    'spec:\n  env:\n      A: a # a\n      # after\n\n  args: {} # none\n  # end',
    'spec:\n  env:\n      A: a # a\n      B: "yes"\n      C: |\n        l\n        m\n      # after\n\n' +
      '  args: {X: "2026-01-01"} # none\n  new:\n    deep:\n      - a\n  # end',
  ],
  [
    'a key added where no line ends',
    { 'env.B': 'b', z: 1 },
    'spec:\n  env:\n    A: a',
    'spec:\n  env:\n    A: a\n    B: b\n  z: 1',
  ],
  [
    'keys of flow form, added and removed',
    { 'env.A': undefined, 'env.C': undefined, 'env.D': undefined, 'env.X': 'x' },
    'spec:\n  env: {A: a, B: "b", C: c, D: d}\n',
    'spec:\n  env: {B: "b", X: x}\n',
  ],
  [
    'flow form over lines',
    { 'env.A': undefined, 'env.C': undefined },
    'spec:\n  env: {\n    A: a, # a\n    B: "b", # b\n    C: c,\n  }\n',
    'spec:\n  env: {\n    B: "b", # b\n  }\n',
  ],
];
for (const [what, changes, before, after] of EXACT) {
  test(`a rollback changes what differs and no other byte: ${what}`, () => {
    for (const form of [(text: string) => text, (text: string) => `\uFEFF${text.replaceAll('\n', '\r\n')}`]) {
      const edited = replaceSpec(form(HEAD + before), changed(specOf(HEAD + before), changes));
      assert.equal(edited, form(HEAD + after));
      // And there and back again is no change of what is said.
      assert.deepEqual(specOf(replaceSpec(edited, specOf(HEAD + before))), specOf(HEAD + before));
    }
  });
}

test('quotes and blocks stay what they are', () => {
  const text = `${HEAD}spec:
  env:
    D: "a" # d
    S: 'a' # s
    P: a # p
    L: |- # l
      a
      b

    F: >
      folded
    N: # n
    LAST: |
      x`;
  const to = { D: 'b', S: "it's", P: 'b', L: 'c\n\n d', F: 'one', N: 'm', LAST: 'w' };
  assert.equal(
    replaceSpec(text, { env: to }),
    `${HEAD}spec:
  env:
    D: "b" # d
    S: 'it''s' # s
    P: b # p
    L: |- # l
      c

       d

    F: one
    N: m # n
    LAST: w`,
  );
});

test('an anchor carries a change nowhere else, and only what it concerns is written out', () => {
  const text = `${HEAD}spec:
  readiness: &r {path: &p /,   periodSeconds: 2} # r
  liveness: *r # l
  env: &e
    A: &a x # a
    B: *a # b
    P: *p # p
  args: # args
    A: *a # other
`;
  const spec = specOf(text);
  const check = (changes: Record<string, unknown>, after: (edited: string) => string) => {
    const edited = replaceSpec(text, changed(spec, changes));
    assert.deepEqual(specOf(edited), changed(spec, changes));
    assert.equal(edited, after(text));
  };
  check({ 'env.B': 'w' }, (now) => now.replace('*a # b', 'w # b'));
  check({ 'args.A': 'w' }, (now) => now.replace('*a # other', 'w # other'));
  check({ 'env.A': 'w' }, (now) => now.replace('&a x', '&a w').replaceAll('*a', 'x'));
  check({ 'liveness.path': '/l' }, (now) => now.replace('*r', '{path: /l, periodSeconds: 2}'));
  check({ 'readiness.periodSeconds': 3 }, (now) =>
    now.replace('2}', '3}').replace('*r', '{path: /, periodSeconds: 2}').replace('*p', '/'),
  );
  check({ readiness: undefined }, (now) =>
    now
      .replace(/ {2}readiness.*\n/, '')
      .replace('*r', '{path: /, periodSeconds: 2}')
      .replace('*p', '/'),
  );
  check({ 'readiness.path': '/x', 'liveness.path': '/x', 'env.P': '/x' }, (now) =>
    now.replace('&p /', '&p /x').replace('*r', '{path: /x, periodSeconds: 2}').replace('*p', '/x'),
  );
});

test('what a merge key brings in can be changed and taken out', () => {
  const text = `%YAML 1.1\n---\n${HEAD}spec:\n  args: &m {A: a, B: b}\n  env: # e\n    <<: *m\n    C: c # c\n  image: i # i\n`;
  const added = replaceSpec(text, changed(specOf(text), { 'env.A': 'z' }));
  assert.equal(added, text.replace('# c\n', '# c\n    A: z\n'));
  const removed = replaceSpec(text, changed(specOf(text), { 'env.A': undefined }));
  assert.deepEqual(specOf(removed), changed(specOf(text), { 'env.A': undefined }));
  assert.match(removed, / {2}image: i # i\n$/);
});

test('odd layouts: what is wanted is said all the same, and the other fields keep their bytes', () => {
  const rest = '  readiness: {path: /,   tcp: x} # r\n';
  const fields = [
    '  ? env # e\n  : A: a\n    B: b\n',
    '  env: !!map\n    A: a\n    B: b\n',
    '  env:\n    ? A\n    : a\n    B: b\n',
    '  env: {"A":"a","B" : b}\n',
    '  env: {A: a, ? B : b}\n',
    '  env: {A: !!str a,\n   B\n   : b}\n',
    '  env:\n    &k A: a\n    !!str B: b\n',
    '  env: &e !!map # c\n    A: a\n    B: &b b\n',
    '  env:\n    A: "a"\n\n\n    B: >2+\n\n       b\n\n',
  ];
  for (const field of fields) {
    const text = `${HEAD}spec:\n${field}${rest}`;
    const { env, ...others } = specOf(text) as { env: Data };
    for (const to of [{ A: 'z', B: 'b' }, { A: 'z\n' }, { B: 'z' }, {}, { ...env, C: 'c' }, [1], 'x', 5]) {
      const wanted = { ...others, env: to };
      const edited = replaceSpec(text, wanted);
      assert.deepEqual(specOf(edited), wanted, `${text}\n→\n${edited}`);
      if (!field.startsWith('  ?')) assert.ok(edited.endsWith(rest), `${text}\n→\n${edited}`);
    }
  }
});

/** Strings that YAML could take for something else, or that need care. */
const strings = fc.oneof(
  fc.string(),
  fc.constantFrom('', 'yes', '1', 'null', '2026-01-01', '# c', 'a: b', ' x ', '{a', '*a', '&a', '- a', '~'),
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', '#', ':', '"', "'", ',', '}', '\t', '\u2028', 'ü') }),
);
const keys = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('A', 'B', 'C', 'D', 'E') }, strings);
const values = fc.letrec<{ value: unknown; map: Data }>((tie) => ({
  map: fc.dictionary(keys, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: 'small' },
    { weight: 3, arbitrary: strings },
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    { weight: 3, arbitrary: tie('map') },
  ),
}));
/** Two specs that have something in common. */
const specs = fc
  .tuple(values.map, values.map, fc.func(fc.boolean()))
  .map(([from, other, pick]) => [from, mixed(from, other, pick)] as const)
  .filter(([from, to]) => [from, to].every((spec) => !('desiredState' in spec || 'restartedAt' in spec)));

test('from any spec to any other: it says what is wanted, and what is equal keeps its lines', () => {
  fc.assert(
    fc.property(
      specs,
      fc.constantFrom(2, 4),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      ([from, to], step, crlf, ends, flows) => {
        const lines = written({ userId: 'u', ...from }, step, flows);
        const body = `${HEAD}spec: # spec\n${lines.map(({ text }) => text).join('\n')}${ends ? '\ntail: {}\n' : ''}`;
        const text = crlf ? body.replaceAll('\n', '\r\n') : body;
        const wanted = { userId: 'u', ...to };
        const before = parse(text);
        const edited = replaceSpec(text, wanted);
        assert.deepEqual(parse(edited), { ...before, spec: wanted });
        for (const { path, text: line } of lines) {
          if (!isSame(before.spec, wanted, path)) continue;
          assert.ok(edited.includes(crlf ? line.replaceAll('\n', '\r\n') : line), `${line}\n→\n${edited}`);
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** A map as people write it: a comment above each key, another behind, and some values in flow form. */
function written(
  map: Data,
  step: number,
  flows: boolean[],
  path: string[] = [],
): { path: string[]; text: string }[] {
  const indent = ' '.repeat((path.length + 1) * step);
  return Object.entries(map).flatMap(([key, value], index) => {
    const here = [...path, key];
    const label = JSON.stringify(here);
    const name = stringify({ [key]: 0 }).slice(0, -': 0\n'.length);
    const above = index === 0 ? '' : `${indent}# above ${label}\n`;
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (name.startsWith('?') || (isMap && flows[index] === true)) {
      const text = `${above}${indent}${flowOf({ [key]: value }).slice(1, -1)} # at ${label}`;
      return [{ path: here, text }];
    }
    if (isMap && Object.keys(value).length > 0) {
      const head = { path: [...path, key], text: `${above}${indent}${name}:   # at ${label}` };
      return [head, ...written(value as Data, step, flows.slice(1), here)];
    }
    return [{ path: here, text: `${above}${indent}${name}:  ${flowOf(value)}  # at ${label}` }];
  });
}

function flowOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  const name = (key: string) => (/^[A-Z]$/.test(key) ? key : JSON.stringify(key));
  return `{${Object.entries(value)
    .map(([key, inner]) => `${name(key)}: ${flowOf(inner)}`)
    .join(',  ')}}`;
}

function isSame(from: unknown, to: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return JSON.stringify(from) === JSON.stringify(to);
  const has = (map: unknown): map is Data =>
    typeof map === 'object' && map !== null && Object.hasOwn(map, key);
  return has(from) && has(to) && isSame(from[key], to[key], rest);
}

function mixed(from: Data, other: Data, pick: (key: string) => boolean): Data {
  const isMap = (value: unknown): value is Data =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const kept = Object.entries(from).flatMap(([key, value]): [string, unknown][] => {
    if (!pick(key)) return [[key, value]];
    const others = Object.hasOwn(other, key) ? other[key] : undefined;
    if (isMap(value) && isMap(others)) return [[key, mixed(value, others, pick)]];
    return others === undefined ? [] : [[key, others]];
  });
  const added = Object.entries(other).filter(([key]) => !Object.hasOwn(from, key) && pick(key));
  return Object.fromEntries([...kept, ...added]);
}

/** A spec with what stands at these key paths set, or removed where that is undefined. */
function changed(spec: Data, changes: Record<string, unknown>): Data {
  const copy = structuredClone(spec);
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    // Aliases are one object in two places.
    const map = keys.reduce((inner, key) => {
      inner[key] = { ...(inner[key] as Data) };
      return inner[key] as Data;
    }, copy);
    if (value === undefined) delete map[last];
    else map[last] = value;
  }
  return copy;
}
