import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { isOpen, livesIn } from '../../../registry/git/lock-holder.ts';
import { createGitStage, gitIn, SOMEBODY } from './stage.ts';

async function createFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hersh-holder-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** As in a container: folders have other names there. */
const APART = ['unshare', ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])]] as const;
const canBeApart = spawnSync(APART[0], [...APART[1], 'sh', '-c', 'mount --bind /tmp /mnt']).status === 0;

describe('git: who holds a lock, by whatever name', () => {
  test('a file that is open by another name of it', async (t) => {
    const folder = await createFolder(t);
    const path = join(folder, 'HEAD.lock');
    await writeFile(path, '');
    await mkdir(join(folder, 'other'));
    await link(path, join(folder, 'other/HEAD.lock'));
    await writeFile(join(folder, 'other/x.lock'), '');
    const others = await open(join(folder, 'other/x.lock'));
    assert.equal(await isOpen(path), false);
    const held = await open(join(folder, 'other/HEAD.lock'));
    assert.equal(await isOpen(path), true);
    await held.close();
    await others.close();
    assert.equal(await isOpen(path), false);
    assert.equal(await isOpen(join(folder, 'none.lock')), false);
  });

  for (const isApart of [false, true]) {
    const name = `a git below the folder${isApart ? ', which it knows by another name' : ''}`;
    test(name, { skip: isApart && !canBeApart && 'no mount namespaces here' }, async (t) => {
      const { root, write } = await createGitStage(t);
      // git goes to the top of the work tree that it is called in.
      await mkdir(join(root, 'deep/er'), { recursive: true });
      await gitIn(join(root, 'deep/er'), 'init', '-q');
      await write('beside/file', '');
      const other = await createFolder(t);
      // Waits on its input for as long as that is open.
      const script = isApart
        ? `mount --bind "${root}" "${other}" && cd "${other}/deep/er" && exec git cat-file --batch`
        : `cd "${root}/deep/er" && exec git cat-file --batch`;
      const [command, args] = isApart ? APART : ['env', []];
      const git = spawn(command, [...args, 'sh', '-c', script], { env: SOMEBODY });
      t.after(() => git.kill());
      const said = once(git.stdout, 'data');
      git.stdin.write('HEAD\n');
      await said;
      assert.equal(await livesIn(root), true);
      assert.equal(await livesIn(join(root, 'deep/er')), true);
      assert.equal(await livesIn(join(root, 'beside')), false);
      git.stdin.end();
      await once(git, 'close');
      assert.equal(await livesIn(root), false);
    });
  }
});
