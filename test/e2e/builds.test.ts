import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm, symlink } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createHost, type Host, type Program } from './host.ts';
import { until } from './until.ts';

/** Builds that fail, are mended, are stopped, are shared; and that none of it touches what runs. */

let host: Host;

before(async () => {
  host = await createHost('29540-29569');
  await host.start();
});

after(() => host?.close());

/** A build that never ends by itself: the test server as a RUN step that listens to nobody. Findable in /proc. */
const endless = (name: string) => `RUN ["/server", "${host.marker}-${name}"]`;
const hang = (name: string) => `ENV LISTEN=0\n${endless(name)}`;

/** Processes of a build step, which are no containers of anybody: found by what stands on their command line. */
function stepsOf(name: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${host.marker}-${name}`);
    } catch {
      return false;
    }
  }).length;
}

async function building(name: string): Promise<void> {
  await host.untilState(name, 'Building');
  await until('the build step runs', () => stepsOf(name) > 0);
}

const progressing = ({ conditions }: Program) => conditions.find(({ type }) => type === 'Progressing');
const hasImage = async (buildId: string) =>
  (await host.docker.listImages({ filters: { reference: [`hersh/${buildId}`] } })).length > 0;

describe('builds', { concurrency: 4 }, () => {
  it('that fail leave what runs alone, say why with their last lines, and are made good by a fix', async () => {
    const context = await host.writeContext('mended', 'ENV VERSION=1');
    await host.writeManifest('mended', { build: { context } });
    const before = await host.untilState('mended', 'Ready');
    await host.writeContext('mended', 'ENV VERSION=2\nENV EXIT=7\nRUN ["/server"]');
    const failed = await host.untilProgram(
      'mended',
      'says that the build failed',
      (p) => p.reason === 'BuildFailed',
    );
    assert.deepEqual([failed.state, failed.container_id], ['Ready', before.container_id]);
    assert.match(failed.error_msg, /exiting as told by EXIT/);
    assert.deepEqual([progressing(failed)?.status, progressing(failed)?.reason], ['False', 'BuildFailed']);
    assert.equal((await host.direct(failed, '/watcher/status')).status, 200);
    assert.match((await host.call('GET', '/programs/mended/build-log')).json.log, /exiting as told by EXIT/);
    assert.ok(
      host
        .log()
        .some(({ msg, tail }) => msg === 'build failed' && String(tail).includes('exiting as told by EXIT')),
      'the tail is in the log of the host',
    );
    await host.writeContext('mended', 'ENV VERSION=3');
    const fixed = await host.untilProgram(
      'mended',
      'runs the fix',
      (p) => p.state === 'Ready' && p.container_id !== before.container_id,
    );
    assert.match((await host.direct(fixed, '/env')).text, /^VERSION=3$/m);
    assert.deepEqual([fixed.reason, fixed.error_msg], ['', '']);
  });

  const failures: Record<string, [lines: string, wanted: RegExp]> = {
    'a RUN that fails': ['ENV EXIT=9\nRUN ["/server"]', /exit code: 9[\s\S]*exiting as told by EXIT/],
    'a base image that is not to be had': ['FROM hersh-test.invalid/none:1', /hersh-test\.invalid\/none:1/],
    'a Dockerfile that does not parse': ['FORM scratch', /unknown instruction: FORM/i],
    'a COPY of a file that is not there': ['COPY none /none', /none/],
  };
  for (const [what, [lines, wanted]] of Object.entries(failures)) {
    it(`of ${what} ends in Error and starts nothing; start tries it again`, async () => {
      const dockerfile = `FROM hersh-test/server\nLABEL run=${host.marker}\n${lines}\n`;
      const { json } = await host.call('POST', '/programs', { user_id: 'e2e', dockerfile });
      const id = json.program_id as string;
      await host.call('POST', `/programs/${id}/start`);
      const failed = await host.untilState(id, 'Error');
      assert.equal(failed.reason, 'BuildFailed', failed.error_msg);
      assert.match(failed.error_msg, wanted);
      assert.deepEqual([failed.container_id, failed.image_id, await host.containers(id)], ['', '', []]);
      assert.equal(await hasImage(failed.build_id), false);
      const builds = async () => (await host.events(id)).filter(({ state }) => state === 'Building').length;
      const first = await builds();
      const again = await host.call('POST', `/programs/${id}/start`);
      assert.deepEqual([again.status, again.json.state], [200, 'Error']);
      await until('it was built again', async () => (await builds()) > first);
      await host.untilState(id, 'Error');
      await host.call('DELETE', `/programs/${id}`);
      await host.untilGone(id);
    });
  }

  it('are stopped by a stop, down to their last process; start builds anew', async () => {
    const context = await host.writeContext('cancelled', hang('cancelled'));
    await host.writeManifest('cancelled', { build: { context } });
    await building('cancelled');
    const { json } = await host.call('POST', '/programs/cancelled/stop');
    assert.equal(json.state, 'Stopping');
    const stopped = await host.untilState('cancelled', 'Stopped');
    assert.deepEqual([stopped.reason, stopped.error_msg], ['', '']);
    await until('the build step ended', () => stepsOf('cancelled') === 0);
    assert.match((await host.call('GET', '/programs/cancelled/build-log')).json.log, /cancelled/);
    await host.call('POST', '/programs/cancelled/start');
    await building('cancelled');
    await rm(host.path('programs/cancelled.yaml'));
    await host.untilGone('cancelled');
    await until('the build step ended', () => stepsOf('cancelled') === 0);
  });

  it('are aborted by a delete, which leaves nothing', async () => {
    const context = await host.writeContext('deleted', hang('deleted'));
    await host.writeManifest('deleted', { build: { context } });
    await building('deleted');
    const { build_id } = await host.get('deleted');
    assert.equal((await host.call('DELETE', '/programs/deleted')).status, 200);
    assert.equal((await host.call('GET', '/programs/deleted')).status, 404);
    await host.untilGone('deleted');
    await until('the build step ended', () => stepsOf('deleted') === 0);
    assert.equal(await hasImage(build_id), false);
    assert.equal(existsSync(host.path('programs/deleted.yaml')), false);
  });

  it('that are overtaken by an edit are stopped, and the newest sources win', async () => {
    const context = await host.writeContext('overtaken', hang('overtaken'));
    await host.writeManifest('overtaken', { build: { context } });
    await building('overtaken');
    await host.writeContext('overtaken', 'ENV VERSION=newest');
    const program = await host.untilState('overtaken', 'Ready');
    assert.match((await host.direct(program, '/env')).text, /^VERSION=newest$/m);
    await until('the overtaken step ended', () => stepsOf('overtaken') === 0);
  });

  it('of one context are made once, however many programs wait', async () => {
    const context = await host.writeContext('shared', 'ENV SHARED=1');
    const names = ['shared-a', 'shared-b', 'shared-c'];
    await Promise.all(names.map((name) => host.writeManifest(name, { build: { context } })));
    const programs = await Promise.all(names.map((name) => host.untilState(name, 'Ready')));
    const [first] = programs;
    for (const { image_id, build_id } of programs) {
      assert.deepEqual([image_id, build_id], [first?.image_id, first?.build_id]);
    }
    const built = host
      .log()
      .filter(({ msg, build }) => msg === 'build succeeded' && build === first?.build_id);
    assert.equal(built.length, 1);
    // One leaves while the others run on: the image is not taken from under them.
    await host.call('DELETE', '/programs/shared-a');
    await host.untilGone('shared-a');
    assert.equal((await host.get('shared-b')).state, 'Ready');
  });

  it('whose sources are gone fail and say so; what runs goes on; the sources bring it back', async () => {
    const context = await host.writeContext('vanished', 'ENV VERSION=1');
    await host.writeManifest('vanished', { build: { context } });
    const before = await host.untilState('vanished', 'Ready');
    await rename(host.path(context), host.path('sources/elsewhere'));
    const told = await host.untilProgram('vanished', 'says so', ({ reason }) => reason === 'BuildFailed');
    assert.deepEqual([told.state, told.container_id], ['Ready', before.container_id]);
    assert.match(told.error_msg, /sources\/vanished does not exist/);
    await rename(host.path('sources/elsewhere'), host.path(context));
    const healed = await host.untilProgram('vanished', 'is healed', ({ reason }) => reason === '');
    assert.equal(healed.container_id, before.container_id);
  });

  it('of a context that leads out of the registry are refused, and nothing of it is read', async () => {
    await symlink('/etc', host.path('sources', 'out'));
    await host.writeManifest('link-out', { build: { context: 'sources/out' } });
    await host.writeContext('inner');
    await symlink('/etc/hostname', host.path('sources/inner/name'));
    await host.writeManifest('inner-link', { build: { context: 'sources/inner' } });
    await host.writeManifest('no-context', { build: { context: 'sources/never-there' } });
    const wanted = {
      'link-out': /leads out of/,
      'inner-link': /leads out of/,
      'no-context': /does not exist/,
    };
    for (const [name, words] of Object.entries(wanted)) {
      const program = await host.untilState(name, 'Error');
      assert.equal(program.reason, 'BuildFailed');
      assert.match(program.error_msg, words);
    }
    const { status, text } = await host.call('GET', '/programs/link-out/source');
    assert.equal(status, 404, text);
    await rm(host.path('sources/inner/name'));
    await host.untilState('inner-link', 'Ready');
  });

  it('are followed live as plain text until they end', async () => {
    const context = await host.writeContext('followed', 'ENV EXIT_AFTER_MS=300\nRUN ["/server"]');
    await host.writeManifest('followed', { build: { context } });
    await host.untilProgram('followed', 'is known', () => true);
    const { text, headers } = await host.call('GET', '/programs/followed/build-log?follow=true');
    assert.match(headers['content-type'] ?? '', /^text\/plain/);
    assert.match(text, /exiting as told by EXIT_AFTER_MS[\s\S]*failed: /);
    await host.untilState('followed', 'Error');
  });
});
