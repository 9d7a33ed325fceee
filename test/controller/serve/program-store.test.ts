import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeChange } from '../../../controller/serve/change.ts';
import { dryRun } from '../../../controller/serve/dry-run.ts';
import { diffSpecs } from '../../../schemas/differences.ts';
import { AppError } from '../../../schemas/errors.ts';
import { resolveSpec } from '../../../schemas/resolve.ts';
import { createStage, manifest } from '../../scenario/stage.ts';

const refused = (reason: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AppError);
  assert.equal(error.reason, reason);
  assert.match(error.message, message);
  return true;
};

/** Collects a stream in the background. */
function collect<T>(stream: AsyncIterable<T>): { items: T[]; done: Promise<void> } {
  const items: T[] = [];
  const done = (async () => {
    for await (const item of stream) items.push(item);
  })();
  return { items, done };
}

describe('the registry as the API sees it', () => {
  it('shows a program from the moment its manifest is written to the moment it is removed', async (test) => {
    const stage = await createStage(test);
    const { programs, advance } = await stage.start();
    const versions = [programs.version()];
    await stage.create('app', { userId: 'ann', desiredState: 'Stopped' });
    versions.push(programs.version());
    const { desiredState, finished, status, problems } = programs.get('app') ?? assert.fail('not there');
    assert.deepEqual([desiredState, finished, problems], ['Stopped', false, []]);
    assert.deepEqual([status.userId, status.state, status.containerId], ['ann', 'Created', '']);
    assert.deepEqual(
      programs.list().map(({ name }) => name),
      ['app'],
    );
    await advance(0);
    assert.notEqual(programs.get('app')?.status.publishPort, 0);
    assert.equal(programs.list()[0], programs.get('app'), 'one view, in the list and alone');
    versions.push(programs.version());
    await programs.remove('app');
    versions.push(programs.version());
    assert.deepEqual([programs.get('app'), programs.list().length], [undefined, 0]);
    assert.equal(new Set(versions).size, versions.length, 'every change has a version');
  });

  it('sorts its list by name, and keeps it while nothing changes', async (test) => {
    const stage = await createStage(test);
    const { programs, advance } = await stage.start();
    for (const name of ['b', 'a', 'C']) await stage.create(name, { desiredState: 'Stopped' });
    await advance(0);
    const list = programs.list();
    assert.deepEqual(
      list.map(({ name }) => name),
      ['C', 'a', 'b'],
    );
    assert.equal(programs.list(), list);
  });

  it('puts manifests: creates, replaces the one that was read, and refuses the rest', async (test) => {
    const stage = await createStage(test);
    const { programs } = await stage.start();
    const first = await programs.putManifest('app', manifest('app', { desiredState: 'Stopped' }), null);
    assert.equal(first.created, true);
    assert.deepEqual(programs.manifest('app')?.etag, first.etag);
    const text = manifest('app', { desiredState: 'Stopped', env: { A: '1' } });
    const second = await programs.putManifest('app', text, first.etag);
    assert.equal(second.created, false);
    assert.equal(programs.manifest('app')?.text, text);
    const put = (name: string, body: string, etag: string | null) => programs.putManifest(name, body, etag);
    await assert.rejects(put('app', text, first.etag), refused('PreconditionFailed', /changed since/));
    await assert.rejects(put('app', text, null), refused('Conflict', /exists already/));
    await assert.rejects(put('other', text, null), refused('Conflict', /"app" but the path says other/));
    await assert.rejects(
      put('app', manifest('app', { nonsense: 1 }), second.etag),
      refused('InvalidManifest', /^programs\/app\.yaml:\d+:\d+: .*nonsense/),
    );
    assert.equal(programs.manifest('app')?.text, text);
  });

  it('refuses every call on a program that is not there', async (test) => {
    const stage = await createStage(test);
    const { programs } = await stage.start();
    const { signal } = new AbortController();
    const calls = [
      async () => programs.editSpec('no', { desiredState: 'Stopped' }),
      async () => programs.remove('no'),
      async () => programs.source('no'),
      async () => programs.buildLog('no'),
      async () => programs.build('no', undefined),
      async () => programs.builds('no'),
      async () => programs.events('no'),
      async () => programs.followEvents('no', signal),
    ];
    for (const call of calls) await assert.rejects(call, refused('NotFound', /program no not found/));
    assert.equal(programs.manifest('no'), undefined);
  });

  it('gives sources and the log of the newest build, running, ended or failed', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { desiredState: 'Stopped' });
    const dockerfile = 'FROM scratch\nRUN echo hello\nRUN sleep 30\n';
    await stage.write('sources/app/Dockerfile', dockerfile);
    await stage.write('sources/app/lib/main.js', 'go()');
    assert.deepEqual(await host.programs.source('app'), { Dockerfile: dockerfile, 'lib/main.js': 'go()' });
    assert.deepEqual(await host.programs.buildLog('app'), { buildId: '', log: '' });
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Building');
    await host.advance(10);
    const running = await host.programs.buildLog('app');
    assert.match(running.log, /hello/);
    assert.doesNotMatch(running.log, /built/);
    await stage.reach('app', 'Ready');
    assert.match((await host.programs.buildLog('app')).log, /built/);
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN echo broken && exit 1\n');
    await host.until('it failed', () => stage.status('app').reason === 'BuildFailed');
    const failed = await host.programs.buildLog('app');
    assert.notEqual(failed.buildId, running.buildId);
    assert.match(failed.log, /broken/);
  });

  it('gives builds as data: the newest, one that is named, and all that are kept', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { desiredState: 'Stopped' });
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN sleep 30\n');
    assert.deepEqual(
      [(await host.programs.build('app', undefined)).outcome, await host.programs.builds('app')],
      [null, []],
    );
    await stage.edit('app', { desiredState: 'Running' });
    await stage.reach('app', 'Building');
    await host.advance(10);
    const running = await host.programs.build('app', undefined);
    assert.equal(running.outcome, 'Running');
    assert.deepEqual(
      (await host.programs.builds('app')).map(({ id }) => id),
      [running.id],
    );
    await stage.reach('app', 'Ready');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await host.until('it failed', () => stage.status('app').reason === 'BuildFailed');
    const failed = await host.programs.build('app', undefined);
    assert.match(failed.error, /exit code: 1/);
    const told = (await host.programs.builds('app')).map(({ id, outcome }) => [id, outcome]);
    assert.deepEqual(told, [
      [failed.id, 'Failed'],
      [running.id, 'Succeeded'],
    ]);
    for (const id of [running.id, running.build_id])
      assert.equal((await host.programs.build('app', id)).outcome, 'Succeeded');
    for (const id of ['build-ffffffffffff', '', '../app'])
      await assert.rejects(host.programs.build('app', id), refused('NotFound', /no build/));
  });

  it('follows a build from before it began, line by line, to its end', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { desiredState: 'Stopped' });
    await stage.write(
      'sources/app/Dockerfile',
      'FROM scratch\nRUN echo first\nRUN sleep 30\nRUN echo second\n',
    );
    await host.advance(0);
    await stage.edit('app', { desiredState: 'Running' });
    const { items, done } = collect(host.programs.followBuildLog('app', new AbortController().signal));
    const text = () => Buffer.concat(items).toString();
    await host.until('the first line came', () => text().includes('first'), 20_000);
    assert.doesNotMatch(text(), /second/);
    await stage.reach('app', 'Ready');
    await done;
    assert.match(text(), /first[\s\S]*second[\s\S]*built/);
    assert.equal(text(), (await host.programs.buildLog('app')).log);
  });

  it('ends the log of a build that never comes, when the program is stopped or the reader leaves', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('stopped', { desiredState: 'Stopped' });
    await stage.create('waiting');
    stage.world.goAway('keep');
    await collect(host.programs.followBuildLog('stopped', new AbortController().signal)).done;
    const abort = new AbortController();
    const { items, done } = collect(host.programs.followBuildLog('waiting', abort.signal));
    await host.advance(1_000);
    abort.abort();
    await done;
    assert.deepEqual(items, []);
  });

  it('follows events until the program is gone', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.create('other');
    const { items, done } = collect(host.programs.followEvents('app', new AbortController().signal));
    await stage.reach('app', 'Ready');
    await stage.reach('other', 'Ready');
    await host.programs.remove('app');
    await host.until('it is gone', () => host.registry.status.get('app') === undefined);
    await done;
    const reasons = await stage.reasons('app');
    assert.deepEqual(
      items.map(({ reason }) => reason),
      reasons.slice(reasons.length - items.length),
    );
    for (const reason of ['Ready', 'Stopping', 'Removed', 'Deleted']) {
      assert.equal(items.filter((one) => one.reason === reason).length, 1, reason);
    }
  });
});

describe('a dry run', () => {
  it('says what would change and be done, and changes nothing', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { env: { A: '1', B: '1' } });
    await stage.reach('app', 'Ready');
    const before = [host.calls.length, host.programs.version(), host.programs.manifest('app')?.text];
    const run = (spec: Record<string, unknown>) =>
      dryRun({ registry: host.registry, runtime: 'runc' }, 'app', manifest('app', spec));
    assert.deepEqual(run({ env: { B: '1', A: '1' } }), { changed: false, diff: [], actions: [] });
    assert.deepEqual(run({ env: { A: '2', C: '1' }, stopGracePeriodSeconds: 5 }), {
      changed: true,
      diff: [
        { path: 'spec.env.A', from: '1', to: '2' },
        { path: 'spec.env.B', from: '1', to: null },
        { path: 'spec.env.C', from: null, to: '1' },
        { path: 'spec.stopGracePeriodSeconds', from: 10, to: 5 },
      ],
      actions: [
        'build sources/app unless its image is there',
        'create a container for the new revision',
        'stop the running container',
        'start the new container',
      ],
    });
    assert.deepEqual(run({ env: { A: '1', B: '1' }, restartPolicy: 'Never' }).actions, []);
    assert.deepEqual(run({ desiredState: 'Stopped' }).actions, ['stop the running container']);
    assert.throws(() => run({ nonsense: 1 }), refused('InvalidManifest', /nonsense/));
    const labelled = manifest('app', { env: { A: '1', B: '1' } }).replace(
      'name: app',
      'name: app\n  labels: {team: a}',
    );
    assert.deepEqual(dryRun({ registry: host.registry, runtime: 'runc' }, 'app', labelled), {
      changed: true,
      diff: [{ path: 'metadata.labels.team', from: null, to: 'a' }],
      actions: [],
    });
    const byCase = () => dryRun({ registry: host.registry, runtime: 'runc' }, 'APP', manifest('APP'));
    assert.throws(byCase, refused('Conflict', /app exists already/));
    const { registry } = host;
    const other = () => dryRun({ registry, runtime: 'runc' }, 'x', manifest('app'));
    assert.throws(other, refused('Conflict', /the path says x/));
    await host.advance(0);
    assert.deepEqual(
      [host.calls.length, host.programs.version(), host.programs.manifest('app')?.text],
      before,
    );
  });
});

describe('a dry run under a name whose ledger is another’s', () => {
  const envs = ({ diff }: ReturnType<typeof dryRun>) =>
    diff.filter(({ path }) => path.startsWith('spec.env'));
  const bobs = manifest('app', { userId: 'bob', env: { B: '1' } });

  it('shows nothing of a program that is deleted and not all gone, nor why that was paused', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { userId: 'ann', env: { A: 'hers' } });
    await stage.reach('app', 'Ready');
    await host.pauses.pause('app', { by: 'ann', why: 'her heap' });
    await host.programs.remove('app');
    await host.advance(1_000);
    assert.notEqual(host.registry.status.get('app'), undefined);
    const shown = dryRun({ registry: host.registry, runtime: 'runc' }, 'app', bobs, (one) => one === 'bob');
    assert.deepEqual(envs(shown), [{ path: 'spec.env', from: null, to: { B: '1' } }]);
    assert.doesNotMatch(JSON.stringify(shown), /hers|heap|ann/);
    assert.match(shown.actions[0] ?? '', /nothing before it is resumed/);
  });

  it('shows nothing of what is in force of another user, but to those who see that one', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { userId: 'ann', env: { A: 'hers' } });
    await stage.reach('app', 'Ready');
    const of = (sees?: (userId: string) => boolean) =>
      dryRun({ registry: host.registry, runtime: 'runc' }, 'app', bobs, sees);
    assert.doesNotMatch(JSON.stringify(of((one) => one === 'bob')), /hers|ann/);
    assert.match(JSON.stringify(of()), /"spec.userId","from":"ann","to":"bob"/);
  });
});

describe('the difference of two specs', () => {
  const spec = (raw: Record<string, unknown>) => resolveSpec({ userId: 'me', ...raw }, 'runc');
  const image = { image: 'shop/app:1' };
  const built = { build: { context: 'a' } };

  it('is every field where there was none before', () => {
    const paths = diffSpecs(undefined, spec(image)).map(({ path }) => path);
    assert.deepEqual(paths, [...paths].sort());
    for (const path of ['spec.image', 'spec.userId', 'spec.resources']) assert.ok(paths.includes(path), path);
  });

  it('is told by its inner fields, and whole where one side is none', () => {
    assert.deepEqual(diffSpecs(spec(built), spec({ build: { context: 'b' } })), [
      { path: 'spec.build.context', from: 'a', to: 'b' },
    ]);
    const [build, to] = diffSpecs(spec(built), spec(image));
    assert.deepEqual([build?.path, build?.to], ['spec.build', null]);
    assert.deepEqual(to, { path: 'spec.image', from: null, to: 'shop/app:1' });
  });

  it('costs what it costs', () => {
    const down = { isUp: false, isKept: false };
    const stopped = spec({ ...image, desiredState: 'Stopped' });
    assert.deepEqual(describeChange(stopped, spec(image), { isUp: false, isKept: true }), [
      'start the container that was kept',
    ]);
    const running = (to: Record<string, unknown>) =>
      describeChange(spec(image), spec(to), { isUp: true, isKept: true });
    assert.deepEqual(running(image), []);
    assert.deepEqual(running({ ...image, readiness: { tcp: true } }), []);
    assert.equal(running({ ...image, runtime: 'runsc' })[0], 'pull shop/app:1 unless it is on this machine');
    assert.equal(running({ ...image, restartedAt: '2026-11-22T10:00:00.000Z' }).length, 4);
    for (const field of ['command', 'args']) {
      const from = spec({ ...image, [field]: ['a'] });
      // What is not given is not there: no field of the wanted spec tells that one was taken out.
      assert.equal(describeChange(from, spec(image), { isUp: true, isKept: true }).length, 4, field);
    }
    assert.equal(describeChange(undefined, spec(built), down).includes('stop the running container'), false);
    assert.deepEqual(describeChange(spec(image), spec({ ...image, desiredState: 'Stopped' }), down), []);
  });
});
