import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { validateText } from '../../controller/serve/validate-text.ts';
import { AppError } from '../../schemas/errors.ts';
import { createStage, manifest } from './stage.ts';

/** Leaves out the probes. */
const UNPROBED = { readiness: { none: true } };
const FILES = new Map([['Dockerfile', 'FROM scratch\n# new\n']]);

describe('what is asked for by a call', () => {
  it('is an event with who asked, before what comes of it', async (test) => {
    const stage = await createStage(test);
    const { programs, registry } = await stage.start();
    await stage.create('app', { ...UNPROBED, userId: 'ann', desiredState: 'Stopped' });
    await programs.editSpec('app', { desiredState: 'Running' });
    await stage.reach('app', 'Ready');
    await programs.editSpec('app', { restartedAt: '2026-01-01T00:00:00.000Z' });
    await programs.editSpec('app', { desiredState: 'Stopped' });
    await stage.reach('app', 'Stopped');
    const asked = (await registry.events.list('app')).filter(({ author }) => author !== undefined);
    assert.deepEqual(
      asked.map(({ reason, author }) => [reason, author]),
      ['StartRequested', 'RestartRequested', 'StopRequested'].map((reason) => [reason, 'ann']),
    );
    const reasons = await stage.reasons('app');
    assert.ok(reasons.indexOf('StartRequested') < reasons.indexOf('Building'), reasons.join());
  });
});

describe('new sources for a program', () => {
  it('are a new revision in its place, and nothing else of its manifest changes', async (test) => {
    const stage = await createStage(test);
    const { programs } = await stage.start();
    const text = manifest('app', { ...UNPROBED, userId: 'ann', env: { KEY: 'kept' } });
    await stage.create('app', { ...UNPROBED, userId: 'ann', env: { KEY: 'kept' } });
    await stage.reach('app', 'Ready');
    const buildId = await programs.buildIdOf(FILES);
    assert.equal(await programs.putSources('app', FILES, buildId), true);
    const expected = text.replace('sources/app', `sources/${buildId}`);
    assert.equal(programs.manifest('app')?.text, expected);
    await stage.host.until('it serves', () => stage.status('app').currentRevision === 2, 60_000);
    await stage.reach('app', 'Ready');
    assert.equal(programs.get('app')?.status.buildId, buildId);
    assert.equal(await programs.putSources('app', FILES, buildId), false, 'the same');
    await stage.host.advance(60_000);
    assert.equal(stage.status('app').currentRevision, 2);
    assert.equal((await stage.reasons('app')).filter((reason) => reason === 'SourcesReplaced').length, 1);
    assert.equal(await programs.rollBack('app', undefined), 1);
  });

  it('take the place of an image, and of a Dockerfile elsewhere; arguments stay', async (test) => {
    const stage = await createStage(test);
    const { programs, registry } = await stage.start();
    const stopped = { userId: 'ann', desiredState: 'Stopped' };
    await registry.create('image', manifest('image', { ...stopped, build: undefined, image: 'busybox' }));
    const build = { context: 'sources/app', dockerfile: 'docker/Dockerfile', args: { A: 'b' } };
    await stage.create('app', { ...stopped, build });
    const context = `sources/${await programs.buildIdOf(FILES)}`;
    for (const [name, wanted] of [
      ['image', { context }],
      ['app', { context, args: { A: 'b' } }],
    ] as const) {
      await programs.putSources(name, FILES, context.slice('sources/'.length));
      const { rawSpec } = registry.get(name)?.program ?? assert.fail(name);
      assert.deepEqual([rawSpec.build, rawSpec.image], [wanted, undefined]);
    }
  });

  it('are gone again where the manifest can not be edited', async (test) => {
    const stage = await createStage(test);
    const { programs, registry } = await stage.start();
    await stage.create('app', { userId: 'ann', desiredState: 'Stopped' });
    await stage.write('programs/app.yaml', `${manifest('app')}nonsense: 1\n`);
    await registry.look();
    const buildId = await programs.buildIdOf(FILES);
    const isConflict = (error: unknown) => error instanceof AppError && error.reason === 'Conflict';
    await assert.rejects(programs.putSources('app', FILES, buildId), isConflict);
    await assert.rejects(stage.remove(`sources/${buildId}`), /ENOENT/);
  });
});

describe('a text that is to be a manifest', () => {
  it('is told all that is wrong with it, but for having no name or another one', async (test) => {
    const stage = await createStage(test);
    const { registry } = await stage.start();
    const text = manifest('app', { image: 'busybox' });
    assert.deepEqual(validateText(registry, text), { name: 'app', problems: [] });
    const unnamed = text.replace(/\n +name: app/, '\n  labels: {a: b}');
    assert.deepEqual(validateText(registry, unnamed), { name: '', problems: [] });
    assert.deepEqual(validateText(registry, text.replace(/metadata:\n.*\n/, '')).problems, []);
    const wrong = validateText(registry, unnamed.replace('image:', 'imagine:'));
    assert.ok(wrong.problems.length > 0);
    assert.ok(wrong.problems.every((problem) => !('file' in problem) && (problem.line ?? 0) > 1));
    assert.ok(validateText(registry, text.replace('name: app', 'name: a/b')).problems.length > 0);
    assert.ok(validateText(registry, 'a: [').problems.length > 0);
  });
});
