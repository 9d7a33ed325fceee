import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openGit } from '../../../registry/git/git.ts';
import { openRegistry } from '../../../registry/open-registry.ts';
import { brought, createGitStage, enlist, imageManifest } from './stage.ts';

describe('git: a registry in a folder of a larger repository', () => {
  test('commits touch that folder alone, and commits to it are taken up', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('app/main.js', 'one\n');
    for (const name of ['a', 'b']) await stage.write(`deploy/programs/${name}.yaml`, imageManifest(name));
    const one = await stage.commitAll('one');
    await stage.write('app/main.js', 'changed by hand\n');
    await stage.write('app/staged.js', 'staged\n');
    await stage.git('add', 'app/staged.js');
    const { clock } = stage;
    const root = join(stage.root, 'deploy');
    const onWarning = (_fields: object, message: string) => void stage.warnings.push(message);
    const git = await stage.turning(openGit({ root, clock, onWarning }));
    const registry = await openRegistry({ root, git, policy: { runtime: 'runc' }, clock, onWarning });
    try {
      assert.equal(registry.commitOf('a', undefined), one);
      await registry.createFromSources('c', brought(), { author: 'ann', message: 'create c' });
      await registry.editSpec('a', { desiredState: 'Stopped' }, { author: 'ann', message: 'stop a' });
      const names = await stage.git('log', '-2', '--name-only', '--format=%an %s');
      assert.equal(
        names,
        'ann stop a\n\ndeploy/programs/a.yaml\nann create c\n\ndeploy/programs/c.yaml\ndeploy/sources/build-0123456789ab/Dockerfile',
      );
      assert.equal(await stage.git('status', '--porcelain'), 'M app/main.js\nA  app/staged.js');
      assert.equal(registry.commitOf('a', undefined), await stage.git('rev-parse', 'HEAD'));
      await enlist(registry, 'b');
      await stage.git('rm', '-q', 'deploy/programs/b.yaml');
      await stage.git('commit', '-q', '-m', 'without b');
      await stage.until(() => registry.wanted('b').kind === 'gone', 12_000);
      await stage.write('deploy/programs/a.yaml', imageManifest('a'));
      await stage.until(() => registry.commitOf('a', undefined) === '', 12_000);
      assert.deepEqual(stage.warnings, []);
    } finally {
      await stage.turning(registry.close());
    }
  });
});
