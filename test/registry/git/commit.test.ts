import assert from 'node:assert/strict';
import { chmod, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Registry } from '../../../registry/registry.ts';
import { AppError } from '../../../schemas/errors.ts';
import { brought, createGitStage, enlist, type GitStage, imageManifest } from './stage.ts';

const ASKED = { author: 'ann', message: 'stop a\n\nHersh-Program: a\n' };

/** A registry with the committed programs `a` and `b`. */
async function two(stage: GitStage): Promise<Registry> {
  await stage.write('programs/a.yaml', imageManifest('a'));
  await stage.write('programs/b.yaml', imageManifest('b'));
  await stage.commitAll('two programs');
  return stage.open();
}

const isGone = (path: string) =>
  stat(path).then(
    () => false,
    () => true,
  );

describe('git: edits of the API are commits', () => {
  test('author, committer, words; nothing else in it; the tree is clean afterwards', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    await registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    assert.equal(
      await stage.git('log', '-1', '--format=%an <%ae>|%cn|%s|%(trailers:key=Hersh-Program,valueonly)'),
      'ann <ann@users.hersh.invalid>|Hersh Host|stop a|a',
    );
    assert.equal(await stage.git('diff', '--name-only', 'HEAD~'), 'programs/a.yaml');
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.equal(registry.commitOf('a', undefined), await stage.git('rev-parse', 'HEAD'));
  });

  test('what others staged, modified, added or removed stays exactly as it was', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('README.md', 'one\n');
    await stage.write('gone.txt', 'x\n');
    await stage.write('both.txt', 'one\n');
    const registry = await two(stage);
    await stage.write('both.txt', 'staged\n');
    await stage.write('new staged.txt', 'new\n');
    await stage.git('add', 'both.txt', 'new staged.txt');
    await stage.git('rm', '-q', '--cached', 'gone.txt');
    await stage.write('both.txt', 'and modified\n');
    await stage.write('README.md', 'modified\n');
    await stage.write('intended.txt', 'later\n');
    await stage.git('add', '-N', 'intended.txt');
    await stage.write('programs/b.yaml', imageManifest('b', { userId: 'bob' }));
    const before = [await stage.git('status', '--porcelain=v2'), await stage.git('diff', '--cached')];
    await registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    await registry.createFromSources('c', brought(), { author: 'ann', message: 'create c' });
    await registry.remove('c', { author: 'ann', message: 'delete c' });
    assert.deepEqual(
      [await stage.git('status', '--porcelain=v2'), await stage.git('diff', '--cached')],
      before,
    );
    assert.equal(await stage.git('log', '--format=%s', '-3'), 'delete c\ncreate c\nstop a');
  });

  test('sources of a POST are in its commit, ignored and odd ones too, and go with the last program', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('.gitignore', '*.log\n');
    const registry = await two(stage);
    const odd = {
      ':(top)x': 'a',
      'näme with "quotes" & $(x)': 'b',
      'a*b[c]': 'c',
      '-rf': 'd',
      'x.log': 'e',
      'sub/.gitignore': '*',
    };
    const sources = brought('FROM scratch\n', odd);
    await registry.createFromSources('c', sources, { author: 'ann', message: 'create c' });
    const files = (
      await stage.git('-c', 'core.quotePath=false', 'show', '--name-only', '-z', '--format=', 'HEAD')
    )
      .split('\0')
      .filter((name) => name !== '');
    assert.deepEqual(
      files.sort(),
      ['Dockerfile', ...Object.keys(odd)]
        .map((name) => `sources/${sources.buildId}/${name}`)
        .concat('programs/c.yaml')
        .sort(),
    );
    await registry.createFromSources('d', sources, { author: 'ann', message: 'create d' });
    assert.equal(await stage.git('diff', '--name-only', 'HEAD~'), 'programs/d.yaml', 'the folder is shared');
    await registry.remove('c', { author: 'ann', message: 'delete c' });
    assert.equal(await stage.git('diff', '--name-only', 'HEAD~'), 'programs/c.yaml', 'd still needs it');
    await registry.remove('d', { author: 'ann', message: 'delete d' });
    assert.equal((await stage.git('diff', '--name-only', 'HEAD~', 'HEAD')).split('\n').length, 8);
    assert.ok(await isGone(join(stage.root, 'sources', sources.buildId)));
    assert.equal(await stage.git('status', '--porcelain'), '');
    await stage.git('revert', '--no-edit', 'HEAD');
    await registry.look();
    assert.ok(registry.get('d')?.program, 'a revert brings program and sources back');
    assert.equal(await stage.read(`sources/${sources.buildId}/a*b[c]`), 'c');
  });

  test('sources are committed byte for byte, or not at all, whatever attributes they bring', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const plain = brought('FROM scratch\n', { '.gitattributes': '* text=auto\n', 'a.txt': 'a\n' });
    await registry.createFromSources('c', plain);
    assert.equal(await stage.git('status', '--porcelain'), '');
    const head = await stage.git('rev-parse', 'HEAD');
    const inner = { 'x/.gitattributes': '* text\n', 'x/a.txt': 'a\r\n' };
    const changed = { ...brought('FROM scratch\n', inner), buildId: 'build-ba9876543210' };
    await assert.rejects(
      registry.createFromSources('d', changed),
      (error: AppError) => error.reason === 'Conflict' && /x\/a\.txt .*\.gitattributes/.test(error.message),
    );
    assert.equal(await stage.git('rev-parse', 'HEAD'), head);
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.ok(await isGone(join(stage.root, 'sources', changed.buildId)));
  });

  test('sources go with the second of two deletions too when the first program is not gone yet', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const folder = `sources/${brought().buildId}`;
    for (const name of ['c', 'd', 'e']) {
      await registry.createFromSources(name, brought());
      await enlist(registry, name, { userId: 'ann', build: { context: folder } });
    }
    const inLast = async () => (await stage.git('diff', '--name-only', 'HEAD~', 'HEAD')).split('\n');
    await rm(join(stage.root, 'programs/c.yaml'));
    await registry.look();
    await registry.remove('d');
    await registry.remove('e');
    assert.deepEqual(await inLast(), ['programs/e.yaml'], 'c is merely missing');
    await stage.git('checkout', '-q', 'HEAD', '--', 'programs/c.yaml');
    await registry.look();
    await registry.remove('c');
    assert.deepEqual(await inLast(), ['programs/c.yaml', `${folder}/Dockerfile`]);
    assert.equal(await stage.git('status', '--porcelain'), '');
  });

  test('sources that somebody changed, and such of people, are not removed', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('sources/mine/Dockerfile', 'FROM scratch\n');
    await stage.write(
      'programs/m.yaml',
      imageManifest('m', { image: undefined, build: { context: 'sources/mine' } }),
    );
    const registry = await two(stage);
    await registry.createFromSources('c', brought());
    await stage.write('sources/build-0123456789ab/notes.txt', 'mine\n');
    await registry.remove('c');
    await registry.remove('m');
    assert.equal(await stage.read('sources/build-0123456789ab/notes.txt'), 'mine\n');
    assert.equal(await stage.read('sources/mine/Dockerfile'), 'FROM scratch\n');
  });

  test('a manifest that points elsewhere takes the sources it left with it', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const { etag } = await registry.createFromSources('c', brought());
    await registry.replace('c', imageManifest('c'), etag);
    assert.equal(
      await stage.git('show', '--name-status', '--format=', 'HEAD'),
      'M\tprograms/c.yaml\nD\tsources/build-0123456789ab/Dockerfile',
    );
  });

  test('many edits at once are as many commits, one after the other', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const names = Array.from({ length: 8 }, (_, at) => `many-${at}`);
    await Promise.all([
      ...names.map((name) =>
        registry.create(name, imageManifest(name), { author: 'ann', message: `create ${name}` }),
      ),
      registry.editSpec('a', { desiredState: 'Stopped' }, ASKED),
      registry.editSpec('b', { desiredState: 'Stopped' }, ASKED),
    ]);
    assert.equal(await stage.git('rev-list', '--count', 'HEAD'), '11');
    assert.equal(
      await stage.git('log', '--format=', '--name-only', '-10').then((text) => text.split('\n').length),
      10,
    );
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.equal(await stage.git('fsck', '--strict'), '');
  });

  test('an edit that leaves the file as HEAD has it is no commit', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const head = await stage.git('rev-parse', 'HEAD');
    const etag = registry.get('a')?.etag ?? '';
    await registry.replace('a', imageManifest('a'), etag, { author: 'ann', message: 'put manifest a' });
    const { rawSpec } = registry.get('a')?.program ?? { rawSpec: {} };
    const back = { author: 'ann', message: 'rollback a' };
    await assert.rejects(
      registry.replaceSpec('a', async () => ({ spec: rawSpec }), back),
      /nothing would change/,
    );
    assert.equal(await stage.git('rev-parse', 'HEAD'), head);
    assert.equal(await stage.git('status', '--porcelain'), '');
    assert.equal(registry.commitOf('a', undefined), head);
    const edited = imageManifest('a', { env: { EDITED: 'by hand' } });
    await stage.write('programs/a.yaml', edited);
    await registry.look();
    await stage.pass(100);
    await registry.look();
    await registry.replace('a', edited, registry.get('a')?.etag ?? '', {
      author: 'ann',
      message: 'put manifest a',
    });
    assert.equal(await stage.git('log', '-1', '--format=%s'), 'put manifest a', 'HEAD had another text');
  });

  test('a program git never knew can be deleted, also from a registry without a commit', async (t) => {
    const stage = await createGitStage(t);
    await stage.write('programs/a.yaml', imageManifest('a'));
    const registry = await stage.open();
    assert.equal(registry.commitOf('a', undefined), '');
    await registry.remove('a', { author: 'ann', message: 'delete a' });
    assert.equal(await stage.git('log', '--format=%s'), 'delete a');
    assert.equal(await stage.git('ls-tree', '-r', 'HEAD'), '');
    await registry.create('b', imageManifest('b'), { author: '', message: 'create b' });
    assert.equal(await stage.git('log', '--format=%an %s'), 'unknown create b\nann delete a');
  });

  test('the first commit of a repository, and commits on a detached HEAD', async (t) => {
    const stage = await createGitStage(t);
    const registry = await stage.open();
    await registry.createFromSources('c', brought());
    assert.equal(await stage.git('rev-list', '--count', 'main'), '1');
    await stage.git('checkout', '-q', '--detach');
    await registry.editSpec('c', { desiredState: 'Running' }, ASKED);
    assert.equal(await stage.git('rev-list', '--count', 'HEAD'), '2');
    assert.equal(await stage.git('status', '--porcelain'), '');
  });

  test('hooks of the user run; one that refuses leaves files, index and history as they were', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const told: string[] = [];
    registry.subscribe(({ names }) => told.push(...names));
    const { etag } = await registry.createFromSources('c', brought());
    const hook = join(stage.root, '.git/hooks/pre-commit');
    await stage.write('.git/hooks/pre-commit', '#!/bin/sh\necho "not on a Friday" >&2\nexit 1\n');
    await chmod(hook, 0o755);
    const before = [await stage.git('status', '--porcelain=v2'), await stage.git('rev-parse', 'HEAD')];
    told.length = 0;
    const texts = await Promise.all(['a', 'c'].map((name) => stage.read(`programs/${name}.yaml`)));
    for (const attempt of [
      () => registry.editSpec('a', { desiredState: 'Stopped' }, ASKED),
      () => registry.createFromSources('d', { ...brought('FROM other\n'), buildId: 'build-aaaaaaaaaaaa' }),
      () => registry.replace('c', imageManifest('c'), etag),
      () => registry.remove('c'),
    ]) {
      await assert.rejects(attempt(), (error: AppError) => {
        assert.ok(error instanceof AppError);
        assert.equal(error.http, 409);
        assert.match(error.message, /not on a Friday/);
        return true;
      });
    }
    assert.deepEqual(told, [], 'nobody was told of edits that were not made');
    assert.deepEqual(
      [await stage.git('status', '--porcelain=v2'), await stage.git('rev-parse', 'HEAD')],
      before,
    );
    assert.deepEqual(await Promise.all(['a', 'c'].map((name) => stage.read(`programs/${name}.yaml`))), texts);
    await rm(hook);
    await registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    await enlist(registry, 'a');
  });

  test('configuration that would ask somebody does not: signing, templates, editors', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    await stage.write('template.txt', '# say why\n');
    for (const [key, value] of [
      ['commit.gpgSign', 'true'],
      ['user.signingKey', 'nobody'],
      ['commit.template', 'template.txt'],
      ['core.editor', 'false'],
      ['commit.verbose', 'true'],
    ] as const)
      await stage.git('config', key, value);
    await registry.editSpec('a', { desiredState: 'Stopped' }, ASKED);
    assert.equal(await stage.git('log', '-1', '--format=%B'), 'stop a\n\nHersh-Program: a');
  });

  test('large and binary sources', async (t) => {
    const stage = await createGitStage(t);
    const registry = await two(stage);
    const big = 'x'.repeat(12 * 2 ** 20);
    await registry.createFromSources('c', brought('FROM scratch\n', { big, zeros: '\0\u0001\uFEFF' }));
    assert.equal(
      await stage.git('cat-file', '-s', 'HEAD:sources/build-0123456789ab/big'),
      String(big.length),
    );
    assert.equal(await stage.git('status', '--porcelain'), '');
  });
});
