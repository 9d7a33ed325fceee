import assert from 'node:assert/strict';
import fs, { readdir, readFile, rm, stat } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isMade, makeRegistry } from '../../registry/make-registry.ts';
import { readRegistryId } from '../../registry/records/registry-id.ts';
import { tempFolder, writeTree } from './folder.ts';

const MADE = [...['.gitignore', 'README.md', 'data', 'programs', 'registry.yaml', 'sources', 'status']];

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

  it('leaves a registry alone that a host used before there was a mark', async (test) => {
    const root = await tempFolder(test);
    await writeTree(root, { 'programs/app.yaml': '', 'status/': '' });
    const before = await all(root);
    assert.equal(await makeRegistry(root, false), false);
    assert.deepEqual(await all(root), before);
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
