import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { editManifest, replaceSpec } from '../../../registry/manifests/edit-text.ts';
import { parseManifest } from '../../../registry/manifests/manifest.ts';
import { AppError } from '../../../schemas/errors.ts';

const HEAD = 'apiVersion: hersh.dev/v1\nkind: Program\nmetadata:\n  name: x\n';
const stop = (text: string) => editManifest(text, { desiredState: 'Stopped' });
const isConflict = (error: unknown) => error instanceof AppError && error.reason === 'Conflict';

/** What is before, and what must be after `desiredState: Stopped`, byte for byte. */
const EXACT: [string, string, string][] = [
  [
    'a value',
    'spec:\n  desiredState: Running\n  userId: u\n',
    'spec:\n  desiredState: Stopped\n  userId: u\n',
  ],
  [
    'its comment and spaces',
    'spec:\n  desiredState:   Running   # why\n',
    'spec:\n  desiredState:   Stopped   # why\n',
  ],
  [
    'quotes',
    `spec:\n  desiredState: "Running"\n  userId: 'u'\n`,
    `spec:\n  desiredState: "Stopped"\n  userId: 'u'\n`,
  ],
  [
    'an empty value',
    'spec:\n  desiredState:\n  userId: u\n',
    'spec:\n  desiredState: Stopped\n  userId: u\n',
  ],
  [
    'an empty value with a comment',
    'spec:\n  desiredState: # x\n  a: 1\n',
    'spec:\n  desiredState: Stopped # x\n  a: 1\n',
  ],
  ['a field that is not there', 'spec:\n  userId: u\n', 'spec:\n  desiredState: Stopped\n  userId: u\n'],
  [
    'comments keep to the fields they belong to',
    'spec: # all of it\n  # who pays\n\n  userId: u\n# end\n',
    'spec: # all of it\n  desiredState: Stopped\n  # who pays\n\n  userId: u\n# end\n',
  ],
  ['other indentation', 'spec:\n      userId: u\n', 'spec:\n      desiredState: Stopped\n      userId: u\n'],
  [
    'CRLF',
    'spec:\r\n  # c\r\n  userId: u\r\n',
    'spec:\r\n  desiredState: Stopped\r\n  # c\r\n  userId: u\r\n',
  ],
  ['a CRLF value', 'spec:\r\n  desiredState: Running\r\n', 'spec:\r\n  desiredState: Stopped\r\n'],
  ['no line end at the end', 'spec:\n  desiredState: Running', 'spec:\n  desiredState: Stopped'],
  ['no line end, added', 'spec:\n  userId: u', 'spec:\n  desiredState: Stopped\n  userId: u'],
  [
    'flow form',
    'spec: {userId: u, desiredState: Running} # c\n',
    'spec: {userId: u, desiredState: Stopped} # c\n',
  ],
  ['flow form, added', 'spec: { userId: u }\n', 'spec: { desiredState: Stopped, userId: u }\n'],
  ['empty flow form', 'spec: {}\n', 'spec: {desiredState: Stopped}\n'],
  ['flow form over lines', 'spec: {\n  userId: u,\n}\n', 'spec: {\n  desiredState: Stopped, userId: u,\n}\n'],
  ['a tag', 'spec:\n  desiredState: !!str Running\n', 'spec:\n  desiredState: !!str Stopped\n'],
  ['an anchor nobody uses', 'spec:\n  desiredState: &d Running\n', 'spec:\n  desiredState: &d Stopped\n'],
  [
    'an alias',
    'spec:\n  env: {A: &d Running}\n  desiredState: *d\n',
    'spec:\n  env: {A: &d Running}\n  desiredState: Stopped\n',
  ],
  [
    'a block scalar',
    'spec:\n  desiredState: |\n    Running\n  a: 1\n',
    'spec:\n  desiredState: Stopped\n  a: 1\n',
  ],
  [
    'a long line',
    `spec:\n  userId: u\n  env: {A: "${'word '.repeat(60)}"}\n`,
    `spec:\n  desiredState: Stopped\n  userId: u\n  env: {A: "${'word '.repeat(60)}"}\n`,
  ],
  [
    'a spec that is not last',
    'spec:\n  userId: u\nother: 1\n',
    'spec:\n  desiredState: Stopped\n  userId: u\nother: 1\n',
  ],
  ['an anchored spec', 'spec: &s\n  userId: u\n', 'spec: &s\n  desiredState: Stopped\n  userId: u\n'],
];
for (const [what, before, after] of EXACT) {
  test(`every byte but the edited stands: ${what}`, () => {
    assert.equal(stop(HEAD + before), HEAD + after);
    assert.equal(stop(`\uFEFF${HEAD}${before}`), `\uFEFF${HEAD}${after}`);
    assert.equal(stop(stop(HEAD + before)), HEAD + after, 'again changes nothing');
  });
}

test('values that YAML could take for something else are quoted', () => {
  for (const value of ['2026-11-22T10:00:00.000Z', '1', '', 'a: b', '# c', 'ä\n"', 'null x']) {
    const edited = editManifest(`${HEAD}spec:\n  userId: u\n`, { restartedAt: value });
    assert.equal(parse(edited).spec.restartedAt, value);
  }
  const time = '2026-11-22T10:00:00.000Z';
  assert.match(editManifest(`${HEAD}spec:\n  userId: u\n`, { restartedAt: time }), /restartedAt: "2026/);
});

test('an edit never changes what an anchor carries elsewhere', () => {
  const text = `${HEAD}  # keep\n  labels: {was: *no}\nspec:\n  userId: u\n`;
  assert.throws(() => stop(text), isConflict, 'an alias without its anchor');
  const carried = `# keep\nspec:\n  desiredState: &d Running # why\n  userId: u\n  env: {STATE: *d}\n`;
  const edited = stop(carried);
  assert.deepEqual(parse(edited), {
    spec: { desiredState: 'Stopped', userId: 'u', env: { STATE: 'Running' } },
  });
  assert.match(edited, /^# keep\n/);
  const whole = stop(`${HEAD}  annotations: &a {userId: u, image: i}\nspec: *a\n`);
  assert.deepEqual(parse(whole).spec, { userId: 'u', image: 'i', desiredState: 'Stopped' });
  assert.deepEqual(parse(whole).metadata.annotations, { userId: 'u', image: 'i' });
});

test('what does not parse is not edited', () => {
  for (const text of [
    '',
    'spec: [',
    'spec: x',
    'spec: []',
    '[]',
    `${HEAD}spec: {}\n---\nb: 1\n`,
    'spec: {a: 1, a: 2}',
    '['.repeat(1e5),
  ]) {
    assert.throws(() => stop(text), isConflict, text.slice(0, 40));
  }
});

test('several fields at once', () => {
  const edited = editManifest(`${HEAD}spec:\n  userId: u # c\n`, {
    desiredState: 'Running',
    restartedAt: 't',
  });
  assert.equal(edited, `${HEAD}spec:\n  restartedAt: t\n  desiredState: Running\n  userId: u # c\n`);
});

test('a rollback replaces the spec, but for what is wanted now', () => {
  const text = `# mine\n${HEAD}spec:\n  # who\n  userId: u # pays\n  desiredState: Stopped\n  image: b\n  publishPort: 19005\n`;
  const edited = replaceSpec(text, {
    userId: 'u',
    image: 'a',
    env: { A: '1' },
    desiredState: 'Running',
    restartedAt: 't',
  });
  assert.deepEqual(parse(edited).spec, { userId: 'u', desiredState: 'Stopped', image: 'a', env: { A: '1' } });
  assert.match(edited, /^# mine\n/);
  assert.match(edited, / {2}# who\n {2}userId: u # pays\n/);
  assert.equal(replaceSpec(text, { ...parse(text).spec }), text, 'nothing to change, nothing changed');
  const crlf = replaceSpec(text.replaceAll('\n', '\r\n'), { userId: 'u', image: 'a' });
  assert.equal(crlf.replaceAll('\r\n', '').includes('\n'), false);
  const carried = `${HEAD}spec:\n  image: &i old\n  userId: u\n  env: {WAS: *i}\n`;
  assert.deepEqual(parse(replaceSpec(carried, { userId: 'u', image: 'new', env: { WAS: 'old' } })).spec, {
    image: 'new',
    userId: 'u',
    env: { WAS: 'old' },
  });
});

/** Manifests as people write them: any order, comments anywhere, several layouts. */
const layouts = fc
  .record({
    fields: fc.shuffledSubarray(
      [
        ...['userId: u', 'image: "nginx"', "runtime: 'runc'", 'env: {A: "1", B: ""}', 'env2:\n    - 1'],
        ...[
          'desiredState: Running',
          'desiredState: &d Running',
          'note: |\n    two\n    lines',
          'readiness:\n    path: /',
        ],
      ],
      { minLength: 1 },
    ),
    comments: fc.array(fc.constantFrom('', ' # c', '   # ü "x": {'), { minLength: 9, maxLength: 9 }),
    between: fc.constantFrom('', '\n', '  # between\n', '# outside\n'),
    tail: fc.constantFrom('', 'tail: {}\n', '# end', 'tail:\n  x: y'),
    crlf: fc.boolean(),
    bom: fc.boolean(),
  })
  .map(({ fields, comments, between, tail, crlf, bom }) => {
    const once = fields.filter(
      (field, index) => fields.findIndex((other) => keyOf(other) === keyOf(field)) === index,
    );
    const lines = once.map((field, index) => `  ${field}${field.includes('\n') ? '' : comments[index]}\n`);
    const text = `${HEAD}spec:${comments[8]}\n${between}${lines.join(between)}${tail}`;
    return `${bom ? '\uFEFF' : ''}${crlf ? text.replaceAll('\n', '\r\n') : text}`;
  });
const keyOf = (field: string) => field.split(':')[0];

test('whatever the layout: the wanted value, and every other line as it was', () => {
  fc.assert(
    fc.property(
      layouts,
      fc.constantFrom('desiredState', 'restartedAt'),
      fc.string(),
      (text, field, value) => {
        const edited = editManifest(text, { [field]: value });
        assert.deepEqual(parse(edited), { ...parse(text), spec: { ...parse(text).spec, [field]: value } });
        const others = (lines: string) => lines.split('\n').filter((line) => !line.includes(field));
        assert.deepEqual(others(edited), others(text));
      },
    ),
    { numRuns: 120 },
  );
});

test('a valid manifest stays valid', () => {
  const text = `${HEAD}spec: {userId: u, image: i}`;
  assert.deepEqual(parseManifest(stop(text), 'f', 'x', { runtime: 'runc' }).problems, []);
});

test('a JSON manifest stays JSON, laid out as it was, and a byte order mark stays', () => {
  const spec = { userId: 'u', image: 'x', env: {} };
  const data = { apiVersion: 'hersh.dev/v1', kind: 'Program', metadata: { name: 'x' }, spec };
  const pretty = JSON.stringify(data, null, 2);
  const rollback = { userId: 'u', build: { context: 'sources/b' }, env: { A: 'a: b\n"c"', B: 'é' } };
  for (const text of [
    JSON.stringify(data),
    `${pretty}\n`,
    pretty.replaceAll('\n', '\r\n'),
    `\uFEFF${pretty}`,
    JSON.stringify(data, null, '\t'),
  ]) {
    const stopped = stop(text);
    const edited = replaceSpec(stopped, rollback);
    const json = (what: string): unknown => JSON.parse(what.replace(/^\uFEFF/, ''));
    assert.deepEqual(json(stopped), { ...data, spec: { ...spec, desiredState: 'Stopped' } });
    assert.deepEqual(json(edited), { ...data, spec: { ...rollback, desiredState: 'Stopped' } });
    assert.equal(edited.startsWith('\uFEFF'), text.startsWith('\uFEFF'));
    assert.equal(edited.includes('\r'), text.includes('\r'));
  }
  assert.ok(stop(pretty).includes('\n    "desiredState": "Stopped",\n    "userId": "u",\n'), stop(pretty));
  // In YAML too, what is put beside keys in double quotes looks like them.
  const beside = stop(`${HEAD}spec: {"userId": "u", "image": "x"}\n`);
  assert.ok(beside.endsWith('spec: {"desiredState": "Stopped", "userId": "u", "image": "x"}\n'), beside);
});
