import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { brought, createGitStage, type GitStage, imageManifest } from './stage.ts';

const ASKED = { author: 'ann', message: 'stop a' };

async function hook(stage: GitStage, name: string, script: string): Promise<void> {
  await stage.write(`.git/hooks/${name}`, `#!/bin/sh\n${script}\n`);
  await chmod(join(stage.root, '.git/hooks', name), 0o755);
}

describe('git: hooks that do more than refuse', () => {
  test('a git that is ended after its commit made it: the edit stands', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    await stage.commitAll('one');
    const registry = await stage.open();
    // As the host itself ends it when such a hook takes longer than hooks may.
    await hook(stage, 'post-commit', 'kill -TERM $PPID');
    await registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    assert.match(await stage.read('programs/a.yaml'), /desiredState: Stopped/);
    await registry.remove('a', { author: 'ann', message: 'delete a' });
    assert.equal(await stage.git('log', '--format=%s'), 'delete a\nstop a\none');
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.match(stage.warnings.join(), /a commit was made, and git failed after it/);
  });

  test('one that is ended before: nothing is changed, and no other commit is taken for it', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    const head = await stage.commitAll('one');
    const registry = await stage.open();
    await hook(stage, 'pre-commit', 'kill -TERM $PPID');
    await assert.rejects(registry.editSpec('a', { desiredState: 'Stopped' }, ASKED), /git refused|could not/);
    assert.equal(await stage.git('rev-parse', 'HEAD'), head);
    assert.equal(await stage.git('status', '--porcelain'), '');
  });

  test('one that formats and adds leaves the tree clean, and what others staged staged', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('formatted', 'old\n');
    await stage.write('staged', 'old\n');
    const registry = await stage.open();
    // git 2.39: `commit --only` has the hook's work in the commit, and not in the index that stays.
    await hook(
      stage,
      'pre-commit',
      'for f in programs/*.yaml; do echo "# formatted" >> $f; done; echo new > formatted; git add formatted programs/*.yaml',
    );
    await registry.createFromSources('c', brought(), ASKED);
    await stage.git('add', 'staged');
    await stage.write('programs/.gitignore', '/.gitignore\n');
    await registry.editSpec('c', { desiredState: 'Running' }, ASKED);
    assert.equal(await stage.git('status', '--porcelain'), 'A  staged');
    assert.match(await stage.git('show', 'HEAD:programs/c.yaml'), /# formatted\n# formatted$/);
    assert.equal(await stage.git('show', 'HEAD:formatted'), 'new');
  });
});
