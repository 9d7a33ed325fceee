import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { openContexts } from '../../../registry/contexts/contexts.ts';
import { readSource } from '../../../registry/contexts/sources.ts';
import { createGitStage, gitIn, imageManifest } from './stage.ts';

const built = (context: string) => imageManifest('a', { image: undefined, build: { context } });
const ASKED = { author: 'ann', message: 'stop a' };

describe('git: what HEAD has is what is there', () => {
  test('manifest and context that are links: what is behind them counts, and an edit is a commit of it', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('shared/a.yaml', built('sources/a'));
    await stage.write('shared/app/Dockerfile', 'FROM scratch\n');
    await stage.write('programs/.keep', '');
    await stage.write('sources/.keep', '');
    await symlink('../shared/a.yaml', join(stage.root, 'programs/a.yaml'));
    await symlink('../shared/app', join(stage.root, 'sources/a'));
    await stage.commitAll('one');
    const registry = await stage.open();
    await registry.editSpec('a', { desiredState: 'Running' }, ASKED);
    const edited = await stage.git('rev-parse', 'HEAD');
    assert.equal(await stage.git('show', '--name-only', '--format=%an', 'HEAD'), 'ann\n\nshared/a.yaml');
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.equal(registry.commitOf('a', 'sources/a'), edited);

    await stage.write('shared/app/Dockerfile', 'FROM other\n');
    await stage.until(() => registry.commitOf('a', 'sources/a') === '', 12_000);
    const changed = await stage.commitAll('two');
    await stage.write('other', '');
    const last = await stage.commitAll('another');
    await stage.until(() => registry.commitOf('a', 'sources/a') === last, 12_000);
    assert.equal((await registry.lastChange('a', 'sources/a', last)).commit, changed);
    await registry.remove('a', { author: 'ann', message: 'delete a' });
    assert.equal(await stage.git('show', '--name-only', '--format=', 'HEAD'), 'programs/a.yaml');
  });

  test('sources that are a link: to another disk by who runs the host, and nowhere by a commit', async (t) => {
    const stage = await createGitStage(t);
    const disk = join(stage.root, '..', `disk-${basename(stage.root)}`);
    await mkdir(join(disk, 'a'), { recursive: true });
    t.after(() => rm(disk, { recursive: true }));
    await writeFile(join(disk, 'a/Dockerfile'), 'FROM scratch\n');
    await stage.write('programs/.keep', '');
    await stage.write('.gitignore', '/sources\n');
    await stage.commitAll('one');
    await symlink(disk, join(stage.root, 'sources'));
    const registry = await stage.open();
    const build = { context: 'sources/a', dockerfile: 'Dockerfile', args: {} };
    const { mayLink } = registry.contexts;
    const contexts = openContexts(stage.root, '', () => 0, mayLink);
    await contexts.look(build);
    await stage.git('add', '--force', 'sources');
    await assert.rejects(contexts.look(build), /leads out of the registry/);
    await assert.rejects(readSource(stage.root, build, mayLink), /leads out of the registry/);
    await stage.git('commit', '-qm', 'two');
    await stage.git('rm', '-q', '--cached', 'sources');
    assert.equal(await mayLink(), false, 'HEAD has it still');
  });

  test('manifests that are links: to elsewhere by who runs the host, and to nothing else by a commit', async (t) => {
    const stage = await createGitStage(t);
    const disk = join(stage.root, '..', `disk-${basename(stage.root)}`);
    await mkdir(disk);
    t.after(() => rm(disk, { recursive: true }));
    const text = imageManifest('a');
    await writeFile(join(disk, 'a.yaml'), text);
    await stage.write('programs/.keep', '');
    await stage.write('secrets/a.yaml', text);
    await stage.write('.gitignore', '/programs/a.yaml\n/secrets\n');
    await stage.commitAll('one');
    await symlink(join(disk, 'a.yaml'), join(stage.root, 'programs/a.yaml'));
    await symlink('../secrets/a.yaml', join(stage.root, 'programs/b.yaml'));
    const registry = await stage.open();
    assert.ok(registry.get('a')?.program !== undefined, 'the operator’s own');
    await stage.git('add', '--force', 'programs/a.yaml', 'programs/b.yaml');
    await stage.git('commit', '-qm', 'two');
    await registry.close();
    const next = await stage.open();
    for (const name of ['a', 'b']) {
      const { text: read, problems } = next.get(name) ?? {};
      assert.equal(read, '');
      assert.match(JSON.stringify(problems), new RegExp(`programs/${name}.yaml is a link that git tracks`));
      await assert.rejects(
        next.editSpec(name, { desiredState: 'Running' }, ASKED),
        /leads out of the registry/,
      );
    }
    assert.equal(await readFile(join(disk, 'a.yaml'), 'utf8'), text);
    await stage.git('rm', '-q', '--cached', 'programs/a.yaml');
    await stage.git('commit', '-qm', 'three');
    await stage.until(() => next.get('a')?.program !== undefined, 12_000);
  });

  test('programs/ that is a link of a commit: nothing is read, written or taken for gone', async (t) => {
    const stage = await createGitStage(t);
    const disk = join(stage.root, '..', `disk-${basename(stage.root)}`);
    await mkdir(disk);
    t.after(() => rm(disk, { recursive: true }));
    await writeFile(join(disk, 'a.yaml'), imageManifest('a'));
    await stage.write('README', '');
    await symlink(disk, join(stage.root, 'programs'));
    await stage.commitAll('one');
    const registry = await stage.open();
    assert.match(registry.health().message, /programs is a link that git tracks, and leads out/);
    assert.deepEqual(registry.list(), []);
    await assert.rejects(
      registry.create('b', imageManifest('b'), ASKED),
      /programs is a link that git tracks/,
    );
    assert.deepEqual(await readdir(disk), ['a.yaml']);
  });

  test('files that git ignores differ from HEAD, unless the build does not get them; so do hidden changes', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', built('sources/a'));
    await stage.write('sources/a/Dockerfile', 'FROM scratch\n');
    await stage.write('sources/a/.dockerignore', 'modules\n');
    await stage.write('.gitignore', 'modules\n*.local\n');
    await stage.write('sources/a/modules/x', 'left out of both\n');
    const head = await stage.commitAll('one');
    const registry = await stage.open();
    assert.equal(registry.commitOf('a', 'sources/a'), head);
    await stage.write('sources/a/env.local', 'in the image alone\n');
    await stage.until(() => registry.commitOf('a', 'sources/a') === '', 12_000);
    await stage.write('sources/a/.dockerignore', 'modules\n*.local\n');
    const left = await stage.commitAll('two');
    await stage.until(() => registry.commitOf('a', 'sources/a') === left, 12_000);
    await stage.git('update-index', '--assume-unchanged', 'sources/a/Dockerfile');
    await stage.until(() => registry.commitOf('a', 'sources/a') === '', 12_000);
  });

  test('a submodule: its changes count, and so does that it was never brought', async (t) => {
    const inner = await createGitStage(t);
    await inner.write('Dockerfile', 'FROM scratch\n');
    await inner.commitAll('inner');
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', built('sources/sub'));
    await stage.git('-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', inner.root, 'sources/sub');
    const head = await stage.commitAll('one');
    await stage.write('other', '');
    const last = await stage.commitAll('another');
    const registry = await stage.open();
    assert.equal(registry.commitOf('a', 'sources/sub'), last);
    assert.equal((await registry.lastChange('a', 'sources/sub', last)).commit, head);
    await stage.write('sources/sub/Dockerfile', 'FROM other\n');
    await stage.until(() => registry.commitOf('a', 'sources/sub') === '', 12_000);
    await gitIn(join(stage.root, 'sources/sub'), 'checkout', '-q', '--', '.');
    await stage.until(() => registry.commitOf('a', 'sources/sub') === last, 12_000);
    await stage.git('submodule', '-q', 'deinit', '--all');
    await stage.until(() => registry.commitOf('a', 'sources/sub') === '', 12_000);
  });

  test('a context that is the registry itself holds no manifests of others', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', built('.'));
    await stage.write('Dockerfile', 'FROM scratch\n');
    const head = await stage.commitAll('one');
    const registry = await stage.open();
    const look = () => registry.contexts.look({ context: '.', dockerfile: 'Dockerfile', args: {} });
    const { hash } = await look();
    for (const name of ['programs/b.yaml', 'secrets/token', 'data/x', 'status/x'])
      await stage.write(name, 'x\n');
    assert.equal((await look()).hash, hash);
    await stage.git('status');
    await stage.pass(11_000);
    assert.equal(registry.commitOf('a', '.'), head);
  });
});
