import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs, { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isMade, makeRegistry } from '../../registry/make-registry.ts';
import { readRegistryId } from '../../registry/records/registry-id.ts';
import { AppError } from '../../schemas/errors.ts';
import { tempFolder, writeTree } from './folder.ts';

const MADE = [...['.gitignore', 'README.md', 'data', 'programs', 'registry.yaml', 'sources', 'status']];
const git = (root: string, ...args: string[]) =>
  execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();

async function all(root: string): Promise<string[]> {
  const names = (await readdir(root, { recursive: true })).filter((name) => !name.startsWith('.git/')).sort();
  return Promise.all(names.map(async (name) => `${name} ${(await stat(join(root, name))).mtimeMs}`));
}

/** Has the nth call of those that write fail, as if the process had ended there. Gives what ends that. */
function dieAt(nth: number): () => void {
  const names = ['mkdir', 'writeFile', 'open', 'link', 'rm', 'chmod'] as const;
  const real = { ...fs };
  let calls = 0;
  for (const name of names)
    Object.assign(fs, {
      [name](...args: never[]) {
        if (++calls >= nth) return Promise.reject(new Error('killed'));
        return (real[name] as (...all: never[]) => Promise<unknown>)(...args);
      },
    });
  syncBuiltinESMExports();
  return () => {
    for (const name of names) Object.assign(fs, { [name]: real[name] });
    syncBuiltinESMExports();
  };
}

describe('init', () => {
  it('makes a registry with an id, and changes nothing of one that is there', async (test) => {
    const root = join(await tempFolder(test), 'deep', 'registry');
    assert.equal(await isMade(root), false);
    assert.equal(await makeRegistry(root, false), true);
    assert.deepEqual((await readdir(root)).sort(), MADE);
    assert.equal(await isMade(root), true);
    assert.match((await readRegistryId(root)) ?? '', /^[0-9a-f]{12}$/);
    assert.match(await readFile(join(root, '.gitignore'), 'utf8'), /^\/status\/\n\/data\/\n\/secrets\/$/m);
    await rm(join(root, 'README.md'));
    const before = await all(root);
    assert.equal(await makeRegistry(root, true), false);
    assert.deepEqual(await all(root), before);
  });

  it('takes an empty folder, also one that git made, and no other', async (test) => {
    const root = await tempFolder(test);
    git(root, 'init', '-q', '-b', 'trunk');
    assert.equal(await makeRegistry(root, true), true);
    assert.equal(git(root, 'log', '--format=%s', 'trunk'), 'A registry of Hersh Host');
    const other = await tempFolder(test);
    await writeTree(other, { 'registry.ts': '', 'programs/': '' });
    const before = await all(other);
    await assert.rejects(makeRegistry(other, false), (error) => {
      assert.ok(error instanceof AppError && error.reason === 'Conflict', String(error));
      assert.match(
        `${error.message} ${error.hint}`,
        /is not empty \(.*registry\.ts.*Name a folder that is empty/,
      );
      return true;
    });
    assert.deepEqual(await all(other), before);
    await writeFile(join(other, 'file'), '');
    await assert.rejects(makeRegistry(join(other, 'file'), false), /is a file/);
  });

  it('leaves a registry alone that a host used before there was a mark', async (test) => {
    const root = await tempFolder(test);
    await writeTree(root, { 'programs/app.yaml': '', 'status/': '' });
    const before = await all(root);
    assert.equal(await makeRegistry(root, false), false);
    assert.deepEqual(await all(root), before);
  });

  it('commits what is for everybody, and nothing else', async (test) => {
    const root = await tempFolder(test);
    await makeRegistry(root, true);
    assert.equal(git(root, 'ls-files'), '.gitignore\nREADME.md\nregistry.yaml');
    assert.equal(git(root, 'status', '--porcelain'), '');
  });

  it('is finished by the next one wherever it was killed', async (test) => {
    for (let nth = 1, isWhole = false; !isWhole; nth++) {
      const root = join(await tempFolder(test), 'registry');
      const revive = dieAt(nth);
      isWhole = await makeRegistry(root, false).catch(() => false);
      revive();
      const id = await readRegistryId(root);
      const hadMark = await isMade(root);
      assert.equal(await makeRegistry(root, false), !isWhole, `after call ${nth}`);
      assert.deepEqual((await readdir(root)).sort(), MADE, `after call ${nth}`);
      assert.ok(!hadMark || id !== undefined, 'the mark comes last');
      if (id !== undefined) assert.equal(await readRegistryId(root), id);
      assert.ok(nth < 200);
    }
  });
});
