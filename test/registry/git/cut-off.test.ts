import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isHeldByLiving } from '../../../registry/git/lock-holder.ts';
import { until } from '../folder.ts';
import { createGitStage, gitIn, imageManifest, SOMEBODY } from './stage.ts';

describe('git: a commit is taken up whole', () => {
  test('a git that lives is waited for, however long it writes', async (t) => {
    const stage = await createGitStage(t);
    const go = join(stage.root, '.git/go');
    // git 2.39 writes the files one by one, and the index and HEAD when all are there.
    await stage.git('config', 'filter.slow.smudge', `while [ ! -e '${go}' ]; do sleep 0.05; done; cat`);
    await stage.write('.gitattributes', 'programs/b.yaml filter=slow\n');
    await stage.write('programs/a.yaml', imageManifest('a'));
    await stage.write('programs/b.yaml', imageManifest('b'));
    await stage.commitAll('one');
    for (const name of ['a', 'b'])
      await stage.write(`programs/${name}.yaml`, imageManifest(name, { image: 'two' }));
    const two = await stage.commitAll('two');
    await stage.git('-c', 'filter.slow.smudge=cat', 'checkout', '-q', '-B', 'main', 'HEAD~');
    const registry = await stage.open();
    const images = () => ['a', 'b'].map((name) => registry.get(name)?.program?.rawSpec.image);
    // Beside this process, which otherwise waits for a git of its own before the clock goes on.
    execFileSync('sh', ['-c', `git -C '${stage.root}' merge -q ${two} >/dev/null 2>&1 &`], { env: SOMEBODY });
    t.after(() => stage.write('.git/go', ''));
    await until('git at work', () => isHeldByLiving(join(stage.root, '.git/index.lock')));
    await until('the first file', async () => (await stage.read('programs/a.yaml')).includes('two'));
    await stage.pass(60_000);
    assert.deepEqual(images(), ['hersh/test', 'hersh/test']);
    assert.match(registry.health().message, /^git writes files in the registry since 2026-01-01T00:00:/);
    await stage.write('.git/go', '');
    await until('its end', async () => !(await readdir(join(stage.root, '.git'))).includes('index.lock'));
    await stage.until(() => images().join() === 'two,two', 20_000);
    assert.equal(registry.health().message, '');
  });

  test('what a killed host had half moved is taken back, what somebody wrote since is not, and then it moves', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'hersh-origin-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const origin = await createGitStage(t);
    const before = {
      'programs/a.yaml': imageManifest('a'),
      'gone/file': 'gone\n',
      edited: 'one\n',
      same: 'x\n',
    };
    const after = {
      'programs/a.yaml': imageManifest('a', { image: 'two' }),
      edited: 'two\n',
      'new/file': 'new\n',
    };
    for (const [path, text] of Object.entries(before)) await origin.write(path, text);
    const from = await origin.commitAll('one');
    const remote = { url: origin.root, branch: 'main', intervalMs: 2_000 };
    const stage = await createGitStage(t, { init: false });
    await stage.turning((await stage.open(remote)).close());
    for (const [path, text] of Object.entries(after)) await origin.write(path, text);
    await rm(join(origin.root, 'gone'), { recursive: true });
    const to = await origin.commitAll('two');

    await gitIn(stage.root, 'fetch', '-q', origin.root, 'main');
    await stage.write('.git/hersh-move', JSON.stringify({ from, to, dirty: [] }));
    await stage.write('.git/index.lock', '');
    await stage.write('programs/a.yaml', after['programs/a.yaml'].slice(0, 30));
    await stage.write('new/file', after['new/file']);
    await rm(join(stage.root, 'gone'), { recursive: true });
    await stage.write('edited', 'by somebody\n');
    const registry = await stage.open(remote);
    assert.equal(registry.get('a')?.program?.rawSpec.image, 'hersh/test');
    assert.equal(registry.remoteTrouble()?.reason, 'RemoteBlocked');
    assert.match(registry.remoteTrouble()?.message ?? '', /edited/);
    assert.equal(await stage.git('status', '--porcelain'), 'M edited');
    assert.equal(await stage.read('gone/file'), 'gone\n');

    await stage.git('checkout', '-q', '--', 'edited');
    await stage.until(() => registry.commitOf('a', undefined) === to, 4_000);
    assert.equal(registry.get('a')?.program?.rawSpec.image, 'two');
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.deepEqual(
      (await readdir(join(stage.root, '.git'))).filter((name) => /hersh|lock/.test(name)),
      [],
    );
  });
});
