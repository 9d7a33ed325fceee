import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeRegistry } from '../../../registry/make-registry.ts';
import { AppError } from '../../../schemas/errors.ts';
import { tempFolder, writeTree } from '../folder.ts';

const git = (root: string, ...args: string[]) =>
  execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();

async function all(root: string): Promise<string[]> {
  const names = (await readdir(root, { recursive: true })).filter((name) => !name.startsWith('.git/')).sort();
  return Promise.all(names.map(async (name) => `${name} ${(await stat(join(root, name))).mtimeMs}`));
}

describe('init', () => {
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

  it('commits what is for everybody, and nothing else', async (test) => {
    const root = await tempFolder(test);
    await makeRegistry(root, true);
    assert.equal(git(root, 'ls-files'), '.gitignore\nREADME.md\nregistry.yaml');
    assert.equal(git(root, 'status', '--porcelain'), '');
  });
});
