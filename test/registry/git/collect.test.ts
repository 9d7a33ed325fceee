import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createGitStage } from './stage.ts';

const FOLDER = 'sources/build-0123456789ab';

describe('sources that nothing names any more, in a git work tree', () => {
  it('are left to git as long as it tracks them, or would', async (test) => {
    const stage = await createGitStage(test);
    await stage.write(`${FOLDER}/Dockerfile`, 'FROM scratch\n');
    await stage.write('programs/.keep', '');
    const registry = await stage.open();
    const trash = () => stage.turning(registry.trashSources(FOLDER));
    assert.equal(await trash(), false, 'somebody may be about to add them, even to an empty repository');
    await stage.commitAll('sources');
    assert.equal(await trash(), false, 'tracked');
    await stage.write('.gitignore', 'sources/build-*\n');
    assert.equal(await trash(), false, 'tracked, although new ones would be ignored');
    await stage.git('rm', '-r', '-q', '--cached', FOLDER);
    assert.equal(await trash(), false, 'HEAD has them still');
    await stage.git('commit', '-q', '-m', 'untrack');
    assert.equal(await trash(), true);
    const [name = ''] = await readdir(join(stage.root, 'data', 'trash'));
    assert.match(name, /^build-0123456789ab\.\d+\.sources$/);
  });

  it('are the only folders that go', async (test) => {
    const stage = await createGitStage(test, { init: false });
    await stage.write('sources/mine/Dockerfile', 'FROM scratch\n');
    await stage.write(`${FOLDER}/Dockerfile`, 'FROM scratch\n');
    const registry = await stage.open();
    for (const folder of ['sources/mine', 'sources', 'programs', `${FOLDER}/..`, `${FOLDER}/Dockerfile`, '.'])
      assert.equal(await registry.trashSources(folder), false, folder);
    assert.equal(await registry.trashSources(FOLDER), true);
  });
});
