import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checksOf, maySend } from '../../../api/ui/screens/deploy/checks.ts';
import { changed, type Draft, differences, emptyDraft } from '../../../api/ui/screens/deploy/draft.ts';
import { frozen, thawed } from '../../../api/ui/screens/deploy/kept-draft.ts';
import { userProblem } from '../../../api/ui/screens/deploy/user.ts';

const GOOD = 'FROM alpine\nEXPOSE 8080\nCMD ["x"]\n';
const draftOf = (files: Record<string, string>, more: Partial<Draft> = {}): Draft => ({
  ...emptyDraft('ana'),
  files: new Map(Object.entries(files)),
  ...more,
});
const told = (draft: Draft) => checksOf(draft).map(({ role, text }) => `${role}: ${text}`);
const fixesOf = (draft: Draft) => checksOf(draft).flatMap(({ fixes = [] }) => fixes);

test('a draft that is well says how large it is, and nothing else', () => {
  assert.deepEqual(told(draftOf({ Dockerfile: GOOD })), ['good: 1 file, 55 B of 32 MiB.']);
});

test('without a Dockerfile nothing is sent, and one can be written, taken or looked for further down', () => {
  const draft = draftOf({ 'main.mjs': '', 'package.json': '{}' });
  assert.equal(maySend(checksOf(draft)), false);
  const [fix] = fixesOf(draft);
  assert.equal(fix?.label, 'Write one');
  const written = fix === undefined ? draft : changed(draft, fix.change);
  assert.equal(maySend(checksOf(written)), true);
  assert.match(written.files.get('Dockerfile') ?? '', /CMD \["node", "main.mjs"\]/);

  const other = draftOf({ dockerfile: GOOD });
  const taken = changed(other, fixesOf(other)[0]?.change ?? assert.fail());
  assert.deepEqual([...taken.files.keys()], ['Dockerfile']);

  const [deeper] = fixesOf(draftOf({ a: '' }, { dockerfiles: ['bots/one'] }));
  assert.deepEqual(deeper?.change, { kind: 'folder', path: 'bots/one' });
});

test('a Dockerfile without FROM is told; without CMD or EXPOSE it may be sent', () => {
  assert.equal(maySend(checksOf(draftOf({ Dockerfile: '# nothing\n' }))), false);
  const plain = checksOf(draftOf({ Dockerfile: 'FROM alpine\n' }));
  assert.deepEqual(
    plain.map(({ role }) => role),
    ['warn', 'warn', 'good'],
  );
  assert.equal(maySend(plain), true);
});

test('go.mod without go.sum is seen before the build sees it', () => {
  const alone = 'FROM golang\nWORKDIR /b\nCOPY go.mod ./\nEXPOSE 8080\nCMD ["x"]\n';
  const draft = draftOf({ Dockerfile: alone, 'go.mod': 'module a\nrequire b v1\n', 'go.sum': 'b' });
  const [check] = checksOf(draft);
  assert.equal(check?.line, 3);
  const mended = changed(draft, check?.fixes?.[0]?.change ?? assert.fail());
  assert.match(mended.files.get('Dockerfile') ?? '', /^COPY go\.mod go\.sum \.\/$/m);
  assert.deepEqual(told(mended).length, 1);

  const none = draftOf({ Dockerfile: GOOD, 'go.mod': 'module a\n\nrequire (\n\tb v1\n)\n' });
  assert.match(told(none)[0] ?? '', /^warn: go.mod requires modules, and there is no go.sum/);
  const unneeded = draftOf({ Dockerfile: `${GOOD}COPY go.mod go.sum ./\n`, 'go.mod': 'module a\n' });
  assert.deepEqual(fixesOf(unneeded)[0]?.change, { kind: 'write', name: 'go.sum', text: '\n' });
});

test('what is not sent is told, with why', () => {
  const draft = draftOf(
    { Dockerfile: GOOD },
    {
      refused: [{ name: 'logo.png', why: 'no text' }],
      leftOut: [
        { name: '.env', why: '.dockerignore' },
        { name: 'node_modules/', why: 'modules' },
      ],
    },
  );
  assert.match(told(draft).join('\n'), /warn: Not sent: logo\.png\. The API takes text/);
  assert.match(told(draft).join('\n'), /rest: Left out: \.env \(\.dockerignore\)/);
  assert.deepEqual(fixesOf(draft)[0]?.change, { kind: 'modules' });
  assert.equal(maySend(checksOf(draft)), true);
});

test('sources that the host could not tell as text are not sent back before somebody says so', () => {
  const draft = draftOf({ Dockerfile: GOOD }, { refused: [{ name: 'a.bin', why: 'broken' }] });
  assert.equal(maySend(checksOf(draft)), false);
  const without = changed(draft, fixesOf(draft)[0]?.change ?? assert.fail());
  assert.equal(maySend(checksOf(without)), true);
});

test('too much is one word, with what is largest', () => {
  const over = {
    bytes: 5 * 2 ** 30,
    largest: [{ name: 'data/', bytes: 2 ** 32 }],
    isOver: '' as const,
    count: 3,
  };
  const [only, ...others] = told(draftOf({}, { over }));
  assert.match(only ?? '', /^bad: It is 5 GiB, and 32 MiB can be sent.*data\/ 4 GiB/);
  assert.equal(others.length, 0);
});

test('files that differ are told from those that do not', () => {
  const one = new Map([
    ['a', '1'],
    ['b', '1'],
    ['c', '1'],
  ] as const);
  const other = new Map([
    ['a', '1'],
    ['b', '2'],
    ['d', '1'],
  ] as const);
  assert.deepEqual(Object.fromEntries(differences(one, other)), { b: 'changed', d: 'new', c: 'gone' });
});

test('a draft lives through a reload, unless it is large', () => {
  const draft = draftOf({ Dockerfile: GOOD, 'lib/a': 'x' }, { open: 'lib/a' });
  assert.deepEqual(thawed(frozen(draft)), draft);
  assert.equal(frozen(draftOf({ a: 'x'.repeat(2 ** 20) })), '');
  assert.equal(thawed(''), undefined);
  assert.equal(thawed('{"files":[["a",1]]}'), undefined);
});

test('a user that the host would refuse is told at once', () => {
  assert.equal(userProblem('ana-1.x_y'), '');
  assert.notEqual(userProblem('-a'), '');
  assert.notEqual(userProblem(''), '');
});

test('a folder of Go without go.mod is told what is missing, and its first Dockerfile builds it all the same', () => {
  const draft = draftOf({ 'main.go': 'package main' });
  assert.ok(told(draft).some((one) => /^warn: There are .go files and no go.mod/.test(one)));
  const [fix] = fixesOf(draft);
  const written = changed(draft, fix?.change ?? assert.fail());
  const dockerfile = written.files.get('Dockerfile') ?? '';
  assert.match(dockerfile, /^COPY \. \.\nRUN go mod init program && go mod tidy\n.*go build/m);
  assert.doesNotMatch(dockerfile, /sleep|go\.sum/);
  assert.deepEqual(
    told(written).filter((one) => one.startsWith('warn')),
    [],
  );
  // What is built from something else needs none.
  assert.deepEqual(told(draftOf({ Dockerfile: GOOD, 'tool.go': '' })).length, 1);
});
