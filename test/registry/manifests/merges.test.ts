import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { editManifest, replaceSpec } from '../../../registry/manifests/edit-text.ts';
import { parseManifest } from '../../../registry/manifests/manifest.ts';

const HEAD = 'apiVersion: hersh.dev/v1\nkind: Program\nmetadata: {name: x}\n';
const dataOf = (text: string) => parse(text, { merge: true });
const read = (text: string) => parseManifest(HEAD + text, 'programs/x.yaml', 'x', { runtime: 'runc' });
const specOf = (text: string) => {
  const { program, problems } = read(text);
  assert.deepEqual(problems, []);
  return program?.rawSpec;
};
/** `line:column message` of the only problem; lines count from behind HEAD. */
const problemOf = (text: string): string => {
  const { problems } = read(text);
  assert.equal(problems.length, 1, problems.map(({ message }) => message).join());
  const [{ line = 0, column, message } = { message: '' }] = problems;
  return `${line - 3}:${column} ${message}`;
};
const stop = (text: string) => editManifest(text, { desiredState: 'Stopped' });

const COMMON = `# shared by all
x-common: &common # the anchor
  userId: u
  image: i
  env: &env {A: "1", B: "2"} # both
`;

describe('fields that begin with x-', () => {
  it('are ignored at the top, whatever they hold, and nowhere else', () => {
    assert.deepEqual(specOf('x-: 1\nx-a: [b, {c: null}]\nspec: {userId: u, image: i}\n'), {
      userId: 'u',
      image: 'i',
    });
    assert.match(problemOf('spec: {userId: u, image: i, x-a: 1}\n'), /^1:29 spec\.x-a is not a known field/);
    assert.match(problemOf('x_a: 1\nspec: {userId: u, image: i}\n'), /^1:1 x_a is not a known field/);
  });
});

describe('merge keys', () => {
  it('bring in what is not there, wherever they stand; of a list the first counts', () => {
    assert.deepEqual(specOf(`${COMMON}spec:\n  image: j\n  <<: *common\n`), {
      ...{ userId: 'u', image: 'j', env: { A: '1', B: '2' } },
    });
    const list = `x-more: &more {A: "3", C: "4"}\nspec: {userId: u, image: i, env: {<<: [*more, *env], B: "5"}}\n`;
    assert.deepEqual(specOf(COMMON + list)?.env, { A: '3', B: '5', C: '4' });
    assert.deepEqual(specOf('spec: {userId: u, <<: {image: i, userId: v}}\n'), { userId: 'u', image: 'i' });
    const deep = 'x-b: &b {<<: *common, image: j}\nspec: {<<: *b, userId: w}\n';
    assert.deepEqual(specOf(COMMON + deep), { userId: 'w', image: 'j', env: { A: '1', B: '2' } });
  });

  it('work for all of a manifest, its name as well', () => {
    const text =
      'x-all: &all\n  apiVersion: hersh.dev/v1\n  kind: Program\n  metadata: &m {name: x}\n  spec: {userId: u, image: i}\n<<: *all\n';
    const { program, writtenName } = parseManifest(text, 'programs/x.yaml', 'x', { runtime: 'runc' });
    assert.deepEqual([program?.name, program?.rawSpec, writtenName], ['x', { userId: 'u', image: 'i' }, 'x']);
  });

  it('are keys like any other in quotes', () => {
    assert.match(
      problemOf('spec: {userId: u, image: i, "<<": {env: {}}}\n'),
      /^1:29 spec\.<< is not a known field/,
    );
  });

  it('merge mappings only', () => {
    const words = 'what << merges must be a mapping, an alias of one, or a list of these';
    for (const value of ['1', 'null', '', '[{a: b}, c]', '*list'])
      assert.equal(problemOf(`x-l: &list [1]\nspec:\n  userId: u\n  <<: ${value}\n`), `4:3 ${words}`);
    assert.match(problemOf('spec: {<<: *none}\n'), /^1:12 no anchor &none stands before this alias/);
  });

  it('leave a problem where it is written, and tell it as it is written', () => {
    const wrong =
      'x-e:\n  env: &e\n    PORT: 0123\nspec:\n  userId: u\n  image: i\n  env:\n    <<: *e\n    A: a\n';
    assert.equal(problemOf(wrong), '3:11 spec.env.PORT must be a string; put it in quotes: "0123"');
    const field = 'x-s: &s\n  imag: i\nspec: {userId: u, image: i, <<: *s}\n';
    assert.match(problemOf(field), /^2:3 spec\.imag is not a known field; did you mean image\?/);
    assert.equal(
      problemOf('x-w: &w [a, 1]\nspec: {userId: u, image: i, args: *w}\n').slice(0, 12),
      '1:13 spec.ar',
    );
  });
});

describe('what aliases and merges come to', () => {
  it('is bounded, before anything is made of it', () => {
    // Each line ten times the one before: in all a million parts.
    const lines = ['x-0: &a0 {k: v}'];
    for (let n = 1; n <= 6; n++)
      lines.push(
        `x-${n}: &a${n} {<<: [${Array(10)
          .fill(`*a${n - 1}`)
          .join(', ')}]}`,
      );
    const words = /the file says too much: its aliases and merges come to too many parts/;
    assert.match(problemOf(`${lines.join('\n')}\nspec: {userId: u, image: i}\n`), words);
    const keys = Array.from({ length: 400 }, (_, n) => `k${n}: v`).join(', ');
    const wide = Array.from({ length: 50 }, (_, n) => `x-${n}: {<<: *big}`).join('\n');
    assert.match(problemOf(`x-big: &big {${keys}}\n${wide}\nspec: {userId: u, image: i}\n`), words);
  });

  it('is never without an end', () => {
    for (const text of [
      'x-a: &a [*a]\n',
      'x-a: &a {b: *a}\n',
      'x-a: &a {<<: *a}\n',
      'x-a: &a {b: {<<: *a}}\n',
    ])
      assert.match(
        problemOf(`${text}spec: {userId: u, image: i}\n`),
        /^1:\d+ \*a stands inside of what it stands for/,
      );
  });

  it('leaves room for what people write', () => {
    const all = Array.from({ length: 60 }, (_, n) => `x-${n}: {<<: *common, image: i${n}}`).join('\n');
    assert.equal(specOf(`${COMMON}${all}\nspec: *common\n`)?.image, 'i');
    // One thing often, and things in one another: yaml 2.9.1 by itself refuses both by their counts.
    const often = Array.from({ length: 150 }, () => '*w').join(', ');
    const text = `x-w: &w w\nspec: {userId: u, image: i, args: [${often}]}\n`;
    assert.deepEqual(specOf(text)?.args, Array(150).fill('w'));
    const use = (of: string, n: number) => Array.from({ length: n }, () => `*${of}`).join(', ');
    const deep = `x-a: &a {k: v}\nx-b: &b [${use('a', 15)}]\nx-c: &c [${use('b', 15)}]\n`;
    assert.equal(specOf(`${deep}spec: {userId: u, image: i}\n`)?.image, 'i');
    const edited = stop(`${HEAD}${deep}spec: {userId: u, image: i}\n`);
    assert.equal(edited, `${HEAD}${deep}spec: {desiredState: Stopped, userId: u, image: i}\n`);
  });

  it('is asked before all that is read, a second document and a text in error being read by nobody', () => {
    const bomb = ['x-0: &a0 [v, v]'];
    for (let n = 1; n <= 16; n++) bomb.push(`x-${n}: &a${n} [*a${n - 1}, *a${n - 1}]`);
    const text = `${bomb.join('\n')}\nspec: {userId: u, image: i}\n`;
    assert.match(problemOf(text), /the file says too much/);
    assert.match(problemOf(`${text}---\na: 1\n`), /more than one document/);
    assert.match(problemOf(`${text}a: 1\na: 2\n`), /unique/);
    for (const end of ['', '---\na: 1\n', 'a: 1\na: 2\n'])
      assert.throws(() => stop(HEAD + text + end), /does not parse/);
  });
});

/** What is before, and what must be after `desiredState: Stopped`, byte for byte, behind COMMON. */
const EXACT: [string, string, string][] = [
  ['a merge', 'spec:\n  <<: *common # all\n', 'spec:\n  desiredState: Stopped\n  <<: *common # all\n'],
  [
    'a merge that is last',
    'spec:\n  image: j\n  <<: *common\n',
    'spec:\n  desiredState: Stopped\n  image: j\n  <<: *common\n',
  ],
  ['flow form', 'spec: {<<: *common, image: j}\n', 'spec: {desiredState: Stopped, <<: *common, image: j}\n'],
  [
    'a value that came by a merge',
    'x-run: &run {desiredState: Running}\nspec:\n  <<: [*common, *run]\n',
    'x-run: &run {desiredState: Running}\nspec:\n  desiredState: Stopped\n  <<: [*common, *run]\n',
  ],
  [
    'a value that stands over a merged one',
    'x-run: &run {desiredState: Running}\nspec:\n  <<: [*common, *run]\n  desiredState: Running # now\n',
    'x-run: &run {desiredState: Running}\nspec:\n  <<: [*common, *run]\n  desiredState: Stopped # now\n',
  ],
];

describe('an edit of fields', () => {
  for (const [what, before, after] of EXACT)
    it(`writes beside what is merged and leaves every other byte: ${what}`, () => {
      assert.equal(stop(HEAD + COMMON + before), HEAD + COMMON + after);
      assert.equal(stop(stop(HEAD + COMMON + before)), HEAD + COMMON + after);
    });

  it('leaves the anchor alone where all of spec is an alias, or came by a merge at the top', () => {
    for (const [text, carrier] of [
      [`${HEAD}${COMMON}spec: *common # all of it\n# end\n`, 'x-common'],
      [`x-top: &top # here\n  spec: {userId: u, image: i}\n${HEAD}<<: *top\n# end\n`, 'x-top'],
    ] as const) {
      const [before, after] = [dataOf(text), dataOf(stop(text))];
      assert.deepEqual(after.spec, { ...before.spec, desiredState: 'Stopped' });
      assert.deepEqual(after[carrier], before[carrier]);
      assert.match(stop(text), /# (the anchor|here)\n/);
      assert.match(stop(text), /# end\n$/);
    }
  });

  it('changes no other user of an anchor that stands in spec', () => {
    const text = `${HEAD}spec:\n  userId: u\n  image: i\n  desiredState: &d Running\nx-was: {<<: {state: *d}}\n`;
    assert.deepEqual(dataOf(stop(text))['x-was'], { state: 'Running' });
  });
});

describe('another spec', () => {
  const replaced = (text: string, change: (spec: Record<string, unknown>) => Record<string, unknown>) => {
    const before = dataOf(HEAD + COMMON + text);
    const wanted = change(before.spec);
    const edited = replaceSpec(HEAD + COMMON + text, wanted);
    const after = dataOf(edited);
    assert.deepEqual(after, { ...before, spec: wanted });
    assert.ok(edited.startsWith(HEAD + COMMON), 'anchor and comments stand');
    return edited.slice((HEAD + COMMON).length);
  };

  it('is written beside what is merged, as deep as it goes', () => {
    const env = { A: '1', B: '9', C: '3' };
    assert.equal(
      replaced('spec:\n  <<: *common\n  env:\n    <<: *env # both\n    C: "3"\n', (spec) => ({
        ...spec,
        image: 'j',
        env,
      })),
      'spec:\n  <<: *common\n  env:\n    <<: *env # both\n    C: "3"\n    B: "9"\n  image: j\n',
    );
    assert.equal(
      replaced('spec: {<<: *common, env: {<<: *env}}\n', (spec) => ({ ...spec, env: { A: '1', B: '9' } })),
      'spec: {<<: *common, env: {<<: *env, B: "9"}}\n',
    );
    assert.equal(
      replaced('spec:\n  <<: *common\n', (spec) => ({ ...spec, env: { A: '1' } })),
      'spec:\n  <<: *common\n  env:\n    A: "1"\n',
    );
  });

  it('without a field that came by a merge has that written out, and no other has', () => {
    const without = ({ env: _, ...spec }: Record<string, unknown>) => spec;
    assert.equal(
      replaced('spec:\n  # mine\n  <<: *common\n  publishPort: 19005 # pinned\n', without),
      'spec:\n  # mine\n  userId: u\n  image: i\n  publishPort: 19005 # pinned\n',
    );
    assert.equal(replaced('spec: {<<: *common, image: j}\n', without), 'spec: {userId: u, image: j}\n');
    assert.equal(replaced('spec: {<<: *common}\n', without), 'spec: {userId: u, image: i}\n');
    assert.equal(
      replaced('x-p: &p {publishPort: 19005}\nspec:\n  <<: *p\n  <<: *common\n  args: [a]\n', without),
      'x-p: &p {publishPort: 19005}\nspec:\n  publishPort: 19005\n  userId: u\n  image: i\n  args: [a]\n',
    );
  });

  it('without an entry of a merged mapping has that mapping written out', () => {
    const env = { A: '1', C: '3' };
    assert.equal(
      replaced('spec:\n  <<: *common\n  env:\n    <<: *env\n    C: "3"\n', (spec) => ({ ...spec, env })),
      'spec:\n  <<: *common\n  env:\n    A: "1"\n    C: "3"\n',
    );
  });

  it('keeps the comments of a merge that is written out, and all of what stands beside it', () => {
    const without = ({ env: _, ...spec }: Record<string, unknown>) => spec;
    assert.equal(
      replaced('spec:\n  <<: *common # why\n  publishPort: 19005 # pinned\n', without),
      'spec:\n  # why\n  userId: u\n  image: i\n  publishPort: 19005 # pinned\n',
    );
    assert.equal(
      replaced(
        'x-p: &p {publishPort: 19005}\nspec:\n  <<: # of all\n    - *common # ours\n  args: ["# a"]\n  # and\n  <<: *p # port\n',
        without,
      ),
      'x-p: &p {publishPort: 19005}\nspec:\n  # of all\n  # ours\n  # and\n  # port\n  userId: u\n  image: i\n  publishPort: 19005\n  args: ["# a"]\n',
    );
  });

  /** With an `env` of its own, some of which came by a merge. */
  const nested = (lines: string) => `spec:\n  <<: *common # why\n  env:\n${lines}  image: i # same\n`;
  const withEnv = (env: Record<string, string>) => (spec: Record<string, unknown>) => ({ ...spec, env });

  it('is written in place beside a merge that is written out in it', () => {
    const own = `    # mine\n    C: '3' # three\n`;
    assert.equal(
      replaced(
        nested(`${own}    <<: *env # both\n    D: |- # long\n      # text\n`),
        withEnv({ A: '1', C: '3', D: '# text' }),
      ),
      nested(`${own}    # both\n    A: "1"\n    D: |- # long\n      # text\n`),
    );
    assert.equal(
      replaced(nested(`    <<: *env\n${own}`), withEnv({ A: '7', C: '4', E: '5' })),
      nested(`    A: "7"\n${own.replace('3', '4')}    E: "5"\n`),
    );
    assert.equal(
      replaced("spec: {<<: *common, env: {<<: *env, C: '3'}}\n", withEnv({ A: '1', C: '3' })),
      'spec: {<<: *common, env: {A: "1", C: \'3\'}}\n',
    );
  });

  it('without what stood over something merged has the merge written out, and no other', () => {
    assert.equal(
      replaced(
        nested(`    <<: *env # both\n    A: "9" # over\n    C: '3' # three\n`),
        withEnv({ B: '2', C: '3' }),
      ),
      nested(`    # both\n    B: "2"\n    C: '3' # three\n`),
    );
    assert.equal(
      replaced(
        'x-p: &p {args: [a]}\nspec:\n  <<: *p # why\n  args: [b]\n  userId: u\n  image: i # mine\n',
        ({ args: _, ...spec }) => spec,
      ),
      'x-p: &p {args: [a]}\nspec:\n  userId: u\n  image: i # mine\n',
    );
  });

  it('is written in the place of an alias, not into its anchor', () => {
    assert.equal(
      replaced('spec:\n  userId: u\n  image: i\n  env: *env # shared\n', (spec) => ({
        ...spec,
        env: { A: '7' },
      })),
      'spec:\n  userId: u\n  image: i\n  env: {A: "7"} # shared\n',
    );
  });
});

/** Mappings that have much in common, so that one is merged into the other and written over. */
const fields = fc.record(
  {
    image: fc.constantFrom('i', 'j'),
    args: fc.constantFrom(['a'], ['a', 'b']),
    env: fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.constantFrom('1', '2'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** A manifest whose `spec`, and the `env` in it, are partly merged: in block or flow form, at the top or at the end. */
const merging = fc
  .record({
    common: fields,
    own: fields,
    env: fc.boolean(),
    isFlow: fc.boolean(),
    isLast: fc.boolean(),
    tail: fc.boolean(),
  })
  .map(({ common, own, env, isFlow, isLast, tail }) => {
    const values: Record<string, unknown> = { userId: 'u', ...own };
    const withEnv = env ? `{<<: *env, C: "3"}` : JSON.stringify(values.env ?? {});
    const lines = Object.entries(values)
      .filter(([key]) => key !== 'env')
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    if (env || values.env !== undefined) lines.push(`env: ${withEnv}`);
    lines.splice(isLast ? lines.length : 0, 0, '<<: *common');
    const spec = isFlow
      ? `spec: {${lines.join(', ')}} # c\n`
      : `spec: # c\n${lines.map((line) => `  ${line} # l\n`).join('')}`;
    const shared = stringify({ ...common }, { collectionStyle: 'flow', lineWidth: 0 });
    return `x-env: &env {A: "1", D: "4"} # e\nx-common: &common ${shared.trim()} # k\n${HEAD}${spec}${tail ? 'x-tail: {<<: [*common, *env]}\n' : ''}`;
  });

describe('whatever is merged', () => {
  it('an edit says what is wanted, and nothing else changes', () => {
    fc.assert(
      fc.property(merging, fields, fc.boolean(), (text, wanted, stops) => {
        const before = dataOf(text);
        const spec = stops ? { ...before.spec, desiredState: 'Stopped' } : { userId: 'u', ...wanted };
        const edited = stops ? stop(text) : replaceSpec(text, spec);
        assert.deepEqual(dataOf(edited), { ...before, spec });
        assert.ok(
          edited.startsWith(text.slice(0, text.indexOf('spec:'))),
          'what stands before it keeps every byte',
        );
        if (stops) assert.ok(edited.includes('*common'), 'and what is not in the way stays merged');
      }),
      { numRuns: 150 },
    );
  });
});
