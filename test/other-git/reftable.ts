import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createGitStage, enlist, gitIn, imageManifest } from '../registry/git/stage.ts';

describe('git with references in tables (2.47)', () => {
  test('a linked work tree: HEAD moves, and a deletion that is committed is believed', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'hersh-reftable-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await gitIn(folder, 'init', '-q', '-b', 'main', '--ref-format=reftable');
    await gitIn(folder, 'commit', '-q', '--allow-empty', '-m', 'empty');
    const stage = await createGitStage(t, { init: false });
    await gitIn(folder, 'worktree', 'add', '-q', '-b', 'live', stage.root);
    for (const name of ['a', 'b']) await stage.write(`programs/${name}.yaml`, imageManifest(name));
    const one = await stage.commitAll('one');
    const registry = await stage.open();
    assert.equal(registry.commitOf('a', undefined), one);
    await enlist(registry, 'a');
    await stage.git('rm', '-q', 'programs/a.yaml');
    await stage.git('commit', '-q', '-m', 'without a');
    await stage.until(() => registry.wanted('a').kind === 'gone', 12_000);
    const two = await stage.git('rev-parse', 'HEAD');
    await stage.until(() => registry.commitOf('b', undefined) === two, 12_000);
  });

  for (const operation of ['cherry-pick', 'revert']) {
    test(`a ${operation} that stands still`, async (t) => {
      const stage = await createGitStage(t, { init: false });
      await stage.git('init', '-q', '-b', 'main', '--ref-format=reftable');
      for (const n of ['1', '2', '3']) {
        await stage.write('programs/a.yaml', imageManifest('a', { env: { N: n } }));
        await stage.commitAll(n);
      }
      const registry = await stage.open();
      await assert.rejects(stage.git(operation, '--no-edit', 'HEAD~'));
      await stage.until(() => registry.health().message !== '', 4_000);
      assert.match(registry.health().message, new RegExp(`^a ${operation} is in progress`));
      await stage.git(operation, '--abort');
      await stage.until(() => registry.health().message === '', 4_000);
    });
  }

  test("a follower's empty folder takes the forms of what it follows, and follows it", async (t) => {
    const origin = await createGitStage(t, { init: false });
    await origin.git('init', '-q', '-b', 'main', '--ref-format=reftable', '--object-format=sha256');
    await origin.write('programs/a.yaml', imageManifest('a'));
    await origin.commitAll('one');
    const stage = await createGitStage(t, { init: false });
    const registry = await stage.open({ url: origin.root, branch: 'main', intervalMs: 2_000 });
    assert.equal(registry.remoteTrouble(), undefined);
    assert.ok(registry.get('a'));
    await origin.write('programs/b.yaml', imageManifest('b'));
    const two = await origin.commitAll('two');
    await stage.until(() => registry.commitOf('b', undefined) === two, 8_000);
    const forms = await stage.git('rev-parse', '--show-ref-format', '--show-object-format');
    assert.equal(forms, 'reftable\nsha256');
  });
});
