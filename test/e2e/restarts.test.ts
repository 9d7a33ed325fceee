import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createHost, type Host, type Program } from './host.ts';
import { until } from './until.ts';

/** The host comes and goes, orderly and not; programs do not notice, and nothing it knew is lost. */

let host: Host;

before(async () => {
  host = await createHost('29570-29589');
  await host.start();
});

after(() => host?.close());

/** What no restart of the host may change. */
const lasting = ({
  state,
  container_id,
  restart_count,
  proxy_url,
  created_at,
  revision,
  build_id,
}: Program) => ({
  ...{ state, container_id, restart_count, proxy_url, created_at, revision, build_id },
});

describe('a restart of the host', { concurrency: false }, () => {
  it('adopts what runs, stopped and finished programs included, after SIGTERM and after kill -9', async () => {
    await host.writeManifest('calm');
    await host.writeManifest('crashed');
    await host.writeManifest('once', { restartPolicy: 'Never', env: { EXIT: '4' } });
    await host.writeManifest('done', { restartPolicy: 'OnFailure', env: { EXIT: '0' } });
    const context = await host.writeContext('built');
    await host.writeManifest('built', { build: { context } });
    const dockerfile = `FROM hersh-test/server\nLABEL run=${host.marker}\n`;
    const created = (await host.call('POST', '/programs', { user_id: 'e2e', dockerfile })).json
      .program_id as string;
    const crashed = await host.untilState('crashed', 'Ready');
    await host.direct(crashed, '/crash', { method: 'POST' }).catch(() => undefined);
    await host.untilProgram('crashed', 'was restarted', (p) => p.restart_count === 1 && p.state === 'Ready');
    await host.untilState('calm', 'Ready');
    await host.untilState('built', 'Ready');
    await host.untilState('once', 'Stopped');
    await host.untilState('done', 'Stopped');
    const names = ['calm', 'crashed', 'once', 'done', 'built', created];
    const look = () => Promise.all(names.map(async (name) => lasting(await host.get(name))));
    const before = await look();
    assert.deepEqual(
      before.map(({ state }) => state),
      ['Ready', 'Ready', 'Stopped', 'Stopped', 'Ready', 'Created'],
    );
    const started = await startTimes();

    for (const end of [() => host.stop(), () => host.kill()]) {
      await end();
      assert.equal(
        (await host.direct(crashed, '/watcher/status')).status,
        200,
        'programs serve without the host',
      );
      await host.start();
      for (const name of ['calm', 'crashed', 'built']) await host.untilState(name, 'Ready');
      assert.deepEqual(await look(), before);
    }
    assert.deepEqual(await startTimes(), started, 'no container was started again');
    const events = await host.events('crashed');
    assert.equal(events.filter(({ reason }) => reason === 'Restarted').length, 1, 'events are kept');
  });

  it('takes up what happened while it was away', async () => {
    const ids = new Map<string, string>();
    for (const name of ['died', 'deleted', 'edited', 'halted']) {
      await host.writeManifest(name);
      ids.set(name, (await host.untilState(name, 'Ready')).container_id);
    }
    await host.kill();
    await host.docker.getContainer(ids.get('died') ?? '').kill();
    await host.writeManifest('edited', { env: { EDITED: 'yes' } });
    await host.writeManifest('halted', { desiredState: 'Stopped' });
    await rm(host.path('programs/deleted.yaml'));
    await host.start();
    const died = await host.untilProgram(
      'died',
      'runs again',
      (p) => p.state === 'Ready' && p.restart_count === 1,
    );
    assert.equal(died.container_id, ids.get('died'));
    const edited = await host.untilProgram(
      'edited',
      'is replaced',
      (p) => p.state === 'Ready' && p.container_id !== ids.get('edited'),
    );
    assert.match((await host.direct(edited, '/env')).text, /^EDITED=yes$/m);
    await host.untilState('halted', 'Stopped');
    await host.untilGone('deleted');
  });

  it('finishes what it was killed in the middle of: builds, starts, stops and deletes', async () => {
    const slow = await host.writeContext('mid-build', 'ENV EXIT_AFTER_MS=1500\nRUN ["/server"]');
    await host.writeManifest('mid-build', { build: { context: slow } });
    await host.untilState('mid-build', 'Building');
    await host.kill();
    await host.writeContext('mid-build', 'ENV MENDED=1');
    await host.start();
    await host.untilState('mid-build', 'Ready');

    await host.writeManifest('mid-stop', { env: { IGNORE_TERM: '1' }, stopGracePeriodSeconds: 2 });
    await host.untilState('mid-stop', 'Ready');
    await host.call('POST', '/programs/mid-stop/stop');
    await host.untilState('mid-stop', 'Stopping');
    await host.kill();
    await host.start();
    await host.untilState('mid-stop', 'Stopped');
    assert.equal((await host.get('mid-stop')).restart_count, 0, 'a stop by wish is no crash');

    await host.call('POST', '/programs/mid-stop/start');
    await host.untilState('mid-stop', 'Ready');
    await host.call('DELETE', '/programs/mid-stop');
    await host.kill();
    await host.start();
    assert.equal((await host.call('GET', '/programs/mid-stop')).status, 404);
    await host.untilGone('mid-stop');

    // At any moment of a start: killed at once, over and over, until a run is let live.
    await host.writeManifest('mid-start');
    for (const reason of ['Starting', 'Running']) {
      await host.untilProgram('mid-start', 'is known', () => true);
      await Promise.race([
        host.untilProgram('mid-start', reason, ({ state }) => state === reason || state === 'Ready'),
        host.untilState('mid-start', 'Ready'),
      ]);
      await host.kill();
      await host.start();
    }
    const program = await host.untilState('mid-start', 'Ready');
    assert.equal(program.restart_count, 0);
    await until('one container is left', async () => (await host.containers('mid-start')).length === 1);
  });

  it('keeps a crash loop’s count and its wait', async () => {
    await host.writeManifest('looping', { env: { EXIT: '3' } });
    const before = await host.untilProgram(
      'looping',
      'waits',
      (p) => p.state === 'Error' && p.restart_count >= 2,
    );
    await host.kill();
    await host.start();
    const after = await host.get('looping');
    assert.ok(after.restart_count >= before.restart_count, `${after.restart_count}`);
    await host.untilProgram('looping', 'waits again', (p) => p.state === 'Error' && p.restart_count >= 3);
  });
});

/** By container id. */
async function startTimes(): Promise<Record<string, string>> {
  const list = await host.containers();
  const all = await Promise.all(
    list.map(async ({ Id }) => [Id, (await host.docker.getContainer(Id).inspect()).State.StartedAt] as const),
  );
  return Object.fromEntries(all);
}
