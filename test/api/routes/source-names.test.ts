import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from '../../../api/routes/source-names.ts';
import { AppError } from '../../../schemas/errors.ts';

const dockerfile = 'FROM scratch\n';

function problemOf(files: Record<string, string>): AppError {
  try {
    sourceFiles(files, dockerfile);
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.reason, 'BadRequest');
    return error;
  }
  throw new Error(`taken: ${JSON.stringify(files)}`);
}

const names: [why: string, name: string, says: RegExp][] = [
  ['empty', '', /is empty/],
  ['a temporary file of the host', 'a/.hersh-tmp-1', /temporary/],
  ['absolute', '/etc/passwd', /absolute/],
  ['climbing', '../x', /climbs/],
  ['climbing inside', 'a/../../x', /climbs/],
  ['climbing and coming back', 'a/../b', /climbs/],
  ['only dots', '..', /climbs/],
  ['a dot part', './a', /"\." part/],
  ['a dot part inside', 'a/./b', /"\." part/],
  ['just a dot', '.', /"\." part/],
  ['double slash', 'a//b', /empty part/],
  ['slash at the end', 'a/', /empty part/],
  ['NUL', 'a\0b', /NUL/],
  ['line end', 'a\nb', /control/],
  ['tab', 'a\tb', /control/],
  ['DEL', 'a\u007f', /control/],
  ['C1', 'a\u0085', /control/],
  ['backslash', 'a\\b', /backslash/],
  ['climbing with backslashes', '..\\x', /backslash/],
  ['not NFC', 'a\u0308.txt', /NFC/],
  ['lone surrogate', 'a\ud800', /not valid Unicode/],
  ['.git', '.git/config', /\.git/],
  ['.git inside', 'a/.GIT/hooks/x', /\.git/],
  ['.git itself', '.git', /\.git/],
  ['.git with what Windows drops', 'a/.git. ./x', /\.git/],
  ['.git with what is not seen', 'a/.g\u200cit/x', /\.git/],
  ['.git as Windows shortens it', 'GIT~1/x', /\.git/],
  ['.git as a stream of it', '.git:a/x', /\.git/],
  ['.gitmodules', 'a/.gitmodules', /\.gitmodules/],
  ['.gitmodules by case', '.GitModules', /\.gitmodules/],
  ['.gitmodules as Windows shortens it', 'gitmod~1', /\.gitmodules/],
  ['the same where that is taken', 'a/gi7eba~9', /\.gitmodules/],
  ['.gitmodules with what is not seen', '.gitmodules\ufeff', /\.gitmodules/],
  ['a long part', `${'ä'.repeat(128)}/x`, /255 bytes/],
  ['a long name', 'abcdefg/'.repeat(400).slice(0, -1), /3000 bytes/],
];

test('names that mean no file, or another one elsewhere', async (t) => {
  for (const [why, name, says] of names) {
    await t.test(why, () => {
      const error = problemOf({ [name]: 'x' });
      assert.match(error.message, says);
      assert.deepEqual(
        error.details?.map((problem) => problem.path),
        [`src_files[${JSON.stringify(name)}]`],
      );
    });
  }
});

const collisions: [why: string, files: string[], says: RegExp][] = [
  ['by case', ['Main.go', 'main.go'], /"main.go" collides with "Main.go"/],
  ['by case beyond ASCII', ['Ärger', 'ärger'], /collides/],
  ['by full folding', ['straße', 'STRASSE'], /collides/],
  ['in a folder', ['a/B', 'a/b'], /collides/],
  ['folders by case', ['Src/a', 'src/b'], /folder "src".*"Src" by case only/],
  ['a file, then a folder', ['a', 'a/b'], /"a\/b" needs "a" as a folder/],
  ['a folder, then a file', ['a/b', 'a'], /"a" is a file, but other files need it/],
  ['a folder, then a file by case', ['a/b/c', 'A/B'], /by case only|other files need it/],
  ['with the Dockerfile by case', ['dockerfile'], /"dockerfile" collides with "Dockerfile"/],
  ['under the Dockerfile', ['Dockerfile/x'], /needs "Dockerfile" as a folder/],
];

test('names that collide', async (t) => {
  for (const [why, list, says] of collisions) {
    await t.test(why, () => {
      assert.match(problemOf(Object.fromEntries(list.map((name) => [name, 'x']))).message, says);
    });
  }
});

test('a Dockerfile among the files must be the same', () => {
  assert.match(problemOf({ Dockerfile: 'FROM other\n' }).message, /differs from the field/);
  assert.deepEqual([...sourceFiles({ Dockerfile: dockerfile }, dockerfile)], [['Dockerfile', dockerfile]]);
});

test('names that are fine', () => {
  const list = [
    'main.go',
    'a/b/c',
    '.dockerignore',
    '.gitignore',
    '.gitattributes',
    '.gitmodules.txt',
    '.gitx',
    'git~2',
    'gi7eba',
    'ä.txt',
    'with space',
    '...',
    '.env',
    'a.git',
    '__proto__',
    'constructor',
    'a'.repeat(255),
  ];
  const files = JSON.parse(`{${list.map((name) => `${JSON.stringify(name)}:"x"`).join(',')}}`) as Record<
    string,
    string
  >;
  const taken = sourceFiles(files, dockerfile);
  assert.deepEqual([...taken.keys()].sort(), ['Dockerfile', ...list].sort());
});

test('every bad file is named, up to a limit', () => {
  const files = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`../${i}`, '']));
  assert.equal(problemOf(files).details?.length, 20);
  assert.match(problemOf({ ok: '\udc00' }).message, /content that is not valid Unicode/);
});

test('a folder that git would take for a repository is none of sources', () => {
  const bare = ['x/HEAD', 'x/objects/info/a', 'x/refs/heads/main'];
  const files = (names: string[]) => Object.fromEntries(names.map((name) => [name, 'x']));
  assert.match(problemOf(files(bare)).message, /"x\/HEAD" makes its folder a git repository/);
  assert.match(problemOf(files(['a/Head', 'a/commondir'])).message, /repository/);
  assert.match(problemOf(files(['head', 'objects/a', 'refs/a'])).message, /repository/);
  for (const name of bare) {
    const rest = files(bare.filter((one) => one !== name));
    assert.equal(sourceFiles(rest, dockerfile).size, 3, `without ${name}`);
  }
  assert.equal(sourceFiles(files(['HEAD', 'objects', 'refs/a']), dockerfile).size, 4);
});

test('names are bounded before anything else is done with them', () => {
  const long = 'a\u0308'.repeat(2_000);
  assert.match(problemOf({ [long]: 'x' }).message, /3000 bytes/);
  const many = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, at) => [`${'ab/'.repeat(500)}${at}`, '']),
  );
  assert.match(problemOf(many).message, /the names in src_files have \d+ characters; at most \d+ are taken/);
});
