import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../../../registry/contexts/tar.ts';
import { buildHash } from '../../../schemas/build-id.ts';
import { writeTree } from '../folder.ts';
import { build, start } from './stage.ts';

const IGNORED = { '.dockerignore': 'Dockerfile\n.dockerignore\n*.log\n', 'a.js': '1' };

test('a Dockerfile that is kept out counts for what is built, and the rules that keep it out do not', async (t) => {
  const { folder, contexts } = await start(t, IGNORED);
  const look = async () => (await contexts.look(build())).hash;
  const before = await look();
  await writeFile(join(folder, '.dockerignore'), `# words\n${IGNORED['.dockerignore']}`);
  assert.equal(await look(), before, 'nobody sees it');
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
  assert.notEqual(await look(), before);
});

test('where nothing is kept out, the hash is what it always was', async (t) => {
  const { contexts } = await start(t, { 'src/a': '1' });
  const file = (name: string, text: string) => ({ name, mode: 0o100644, sha256: sha256(text) });
  const folder = { name: 'src', mode: 0o040000, sha256: sha256('') };
  const entries = [file('Dockerfile', 'FROM scratch\n'), folder, file('src/a', '1')];
  assert.equal((await contexts.look(build())).hash, buildHash('Dockerfile', {}, entries));
  assert.equal(await contexts.olderHash(build()), buildHash('Dockerfile', {}, entries));
});

test('the hash of the older form is the one that hosts of that time gave', async (t) => {
  const { contexts, folder } = await start(t, {
    ...IGNORED,
    '.dockerignore': 'Dockerfile\n.dockerignore\na/b\n!a\n',
    'a/b': '2',
    'x.js~': '3',
  });
  // As commit 03a62f6 of this repository gave it for these files.
  assert.equal(
    await contexts.olderHash(build()),
    buildHash('Dockerfile', {}, [
      { name: '.dockerignore', mode: 0o100644, sha256: sha256('Dockerfile\n.dockerignore\na/b\n!a\n') },
      { name: 'Dockerfile', mode: 0o100644, sha256: sha256('FROM scratch\n') },
      { name: 'a', mode: 0o040000, sha256: sha256('') },
      { name: 'a/b', mode: 0o100644, sha256: sha256('2') },
      { name: 'a.js', mode: 0o100644, sha256: sha256('1') },
      { name: 'x.js~', mode: 0o100644, sha256: sha256('3') },
    ]),
  );
  await writeFile(join(folder, 'a.js'), 'other');
  assert.notEqual(await contexts.olderHash(build()), undefined);
});

test('of either form a snapshot is kept, found whole, and put back', async (t) => {
  for (const form of ['today', 'older'] as const) {
    const { root, folder, contexts, open } = await start(t, { ...IGNORED, 'x.log': 'left out' });
    const older = await contexts.olderHash(build());
    const hash = form === 'older' ? (older ?? '') : (await contexts.look(build())).hash;
    const { aside } = await contexts.snapshot(build(), hash);
    assert.deepEqual(aside, form === 'older' ? [] : ['Dockerfile', '.dockerignore']);
    assert.equal(await open().has(build(), hash), true);
    assert.deepEqual((await open().snapshot(build(), hash)).aside.toSorted(), [...aside].sort());
    await rm(folder, { recursive: true });
    const { context } = await contexts.restore(build(), hash, 'build-000000000000');
    const put = build({ context });
    assert.equal(await contexts.holds(put, hash), true);
    assert.equal(await readFile(join(root, context, '.dockerignore'), 'utf8'), IGNORED['.dockerignore']);
    assert.equal((await contexts.look(put)).hash === hash, form === 'today');
  }
});

test("what editors lay beside a file is no part of a context, and today's hash does not know it", async (t) => {
  const { folder, contexts } = await start(t, { 'a.js': '' });
  const { hash } = await contexts.look(build());
  const names = ['.a.js.swp', '.a.js.swo', '.swp', '4913', 'a.js~', '.#a.js', '#a.js#'];
  const others = ['a.js___jb_tmp___', 'a.js___jb_old___', '.goutputstream-A1B2C3', 'src/.a.js.swx'];
  await writeTree(folder, Object.fromEntries([...names, ...others.slice(0, 3)].map((name) => [name, 'x'])));
  assert.equal((await contexts.look(build())).hash, hash);
  await writeTree(folder, { '.swift': '', 'x#': '', 'swap.swp': '' });
  assert.notEqual((await contexts.look(build())).hash, hash, 'these are nobody else’s');
});
