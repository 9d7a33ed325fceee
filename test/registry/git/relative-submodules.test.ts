import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { relativeTo } from '../../../registry/git/follow.ts';
import { createGitStage, gitIn, imageManifest } from './stage.ts';

describe('git: a submodule whose address is relative', () => {
  test('is brought from beside the remote, by the ways that are allowed', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'hersh-origin-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const global = join(folder, 'config');
    await writeFile(global, '');
    process.env.GIT_CONFIG_GLOBAL = global;
    t.after(() => delete process.env.GIT_CONFIG_GLOBAL);
    const inner = await createGitStage(t);
    await inner.write('Dockerfile', 'FROM one\n');
    await inner.commitAll('inner');
    const origin = await createGitStage(t);
    await origin.git('-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', inner.root, 'sub');
    await origin.git('config', '-f', '.gitmodules', 'submodule.sub.url', '../inner');
    await origin.write('programs/a.yaml', imageManifest('a'));
    await origin.commitAll('one');
    await gitIn(folder, 'clone', '-q', inner.root, 'inner');
    await gitIn(folder, 'clone', '-q', '--no-recurse-submodules', origin.root, 'origin');

    const stage = await createGitStage(t, { init: false });
    const registry = await stage.open({ url: join(folder, 'origin'), branch: 'main', intervalMs: 2_000 });
    // git 2.39
    assert.match(registry.remoteTrouble()?.message ?? '', / sub \(.*transport 'file' not allowed/);
    await writeFile(global, '[protocol "file"]\n\tallow = always\n');
    await stage.until(() => registry.remoteTrouble() === undefined, 8_000);
    assert.equal(await stage.read('sub/Dockerfile'), 'FROM one\n');
    assert.equal(await stage.git('config', 'submodule.sub.url'), join(folder, 'inner'));
  });

  test('what git writes down of the remote has no password in it', () => {
    const baseOf = (url: string) =>
      Object.entries(relativeTo({ url, branch: 'main' })).find(([key]) => key.endsWith('.url'))?.[1];
    assert.equal(baseOf('https://ann:s3cret@h.example/x.git?token=1'), 'https://h.example/x.git');
    assert.equal(baseOf('ssh://git:s3cret@h.example/x.git'), 'ssh://git@h.example/x.git');
    assert.equal(baseOf('ssh://git@h.example:22/x.git'), 'ssh://git@h.example:22/x.git');
    assert.equal(baseOf('git@h.example:x.git'), 'git@h.example:x.git');
  });
});
