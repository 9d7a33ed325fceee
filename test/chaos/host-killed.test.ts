import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { parseYaml } from '../../registry/manifests/manifest.ts';
import { createHost, type Host } from '../e2e/host.ts';
import { until } from '../e2e/until.ts';

/** kill -9 in the middle of builds, creates, stops, replaces and deletes: the next start finishes or cleans. */

let host: Host;

before(async () => {
  host = await createHost('29750-29759');
  await host.start();
  for (const name of ['replaced', 'toggled', 'deleted']) await host.writeManifest(name);
  await host.writeManifest('built', { build: { context: await host.writeContext('built', 'ENV ROUND=0') } });
  for (const name of NAMES) await host.untilState(name, 'Ready');
  for (const name of NAMES) {
    const answer = await host.direct(await host.get(name), `/write?path=/state/marker&data=${name}`);
    assert.equal(answer.text, 'ok');
  }
});

after(() => host?.close());

const NAMES = ['replaced', 'toggled', 'deleted', 'built'];

/** From before the first step is begun until after the last is done. */
const MOMENTS_MS = [0, 50, 150, 350, 700, 1_300];

/** What the program runs with; undefined unless it is Ready in one container that is its own. */
async function envOf(name: string): Promise<string[] | undefined> {
  const { status, json } = await host.call('GET', `/programs/${name}`);
  const [one, ...others] = await host.containers(name);
  if (status !== 200 || json.state !== 'Ready' || one === undefined || others.length > 0) return undefined;
  if (one.Id !== json.container_id || one.State !== 'running') return undefined;
  return (await host.docker.getContainer(one.Id).inspect()).Config.Env;
}

async function rests(name: string): Promise<boolean> {
  const { json } = await host.call('GET', `/programs/${name}`);
  const containers = await host.containers(name);
  return json.state === 'Stopped' && containers.length === 1 && containers[0]?.State === 'exited';
}

/** Nothing is left over, nothing is lost, no port is held twice or for nobody. */
async function checkNothingLeft(names: readonly string[]): Promise<void> {
  const ready = await host.call('GET', '/readyz');
  assert.deepEqual([ready.status, ready.json.warnings], [200, []]);
  const wanted = names.map((name) => `${name}.yaml`).sort();
  let ledgers: string[] = [];
  // What is just being written has another name for a moment, and the host may write at any time.
  const isAll = async () => {
    ledgers = (await readdir(host.path('status'))).filter((file) => file.endsWith('.yaml')).sort();
    return isDeepStrictEqual(ledgers, wanted);
  };
  await until('the ledgers are those of the programs', isAll, async () => `there are ${ledgers}`);
  const texts = await Promise.all(ledgers.map((file) => readFile(host.path('status', file), 'utf8')));
  const ports = texts.map(
    (text) => (parseYaml(text) as { status: { publishPort: number } }).status.publishPort,
  );
  assert.equal(new Set(ports).size, ports.length, `ports ${ports}`);
  assert.equal((await host.volumes()).length, NAMES.length, 'the data of each, once');
  assert.ok((await host.containers()).length <= names.length);
  const temporary = (await host.files('programs', 'status', 'data')).filter((path) => /\.tmp|~$/.test(path));
  assert.deepEqual(temporary, []);
}

describe('kill -9 of the host', { concurrency: false }, () => {
  for (const [round, ms] of MOMENTS_MS.entries()) {
    it(`${ms} ms after everything was asked to change`, async () => {
      const env = { ROUND: String(round + 1) };
      const stops = round % 2 === 0;
      await Promise.all([
        host.writeManifest('replaced', { env }),
        host.call('POST', `/programs/toggled/${stops ? 'stop' : 'start'}`),
        stops ? host.call('DELETE', '/programs/deleted') : host.writeManifest('deleted', { env }),
        host.writeContext('built', `ENV ROUND=${round + 1}`),
      ]);
      await pause(ms);
      await host.kill();
      await host.start();

      const wanted = `ROUND=${round + 1}`;
      for (const name of ['replaced', 'built'])
        await until(
          `${name} runs as wanted`,
          async () => (await envOf(name))?.includes(wanted) === true,
          tell,
        );
      if (stops) {
        await until('toggled rests', () => rests('toggled'), tell);
        await host.untilGone('deleted');
      } else {
        for (const name of ['toggled', 'deleted'])
          await until(`${name} runs`, async () => (await envOf(name)) !== undefined, tell);
      }
      const names = NAMES.filter((name) => !stops || name !== 'deleted');
      await checkNothingLeft(names);
      for (const name of names.filter((one) => !stops || one !== 'toggled')) {
        const program = await host.get(name);
        assert.equal(
          (await host.direct(program, '/read?path=/state/marker')).text,
          name,
          'its data is there',
        );
        assert.equal(program.restart_count, 0, 'nothing of it counts as a crash');
      }
    });
  }

  it('loses no event: all that was told is told still', async () => {
    const before = await host.events('replaced');
    await host.kill();
    await host.start();
    assert.deepEqual((await host.events('replaced')).slice(0, before.length), before);
  });

  it('and of a network that somebody removed meanwhile', async () => {
    await host.kill();
    const networks = new Set<string>();
    for (const { Id, State } of await host.containers()) {
      const container = host.docker.getContainer(Id);
      for (const name of Object.keys((await container.inspect()).NetworkSettings.Networks)) {
        networks.add(name);
        await host.docker.getNetwork(name).disconnect({ Container: Id, Force: true });
      }
      if (State === 'running') await container.kill();
    }
    assert.equal(networks.size, 1);
    for (const name of networks) await host.docker.getNetwork(name).remove();
    await host.start();
    for (const name of ['replaced', 'built']) {
      await until(`${name} runs`, async () => (await envOf(name)) !== undefined, tell);
      await until(`${name} answers`, async () => {
        const answer = await host
          .direct(await host.get(name), '/read?path=/state/marker')
          .catch(() => undefined);
        return answer?.text === name;
      });
    }
  });

  it('with its ledgers lost: everything is adopted as it is', async () => {
    const before = await Promise.all(['replaced', 'built'].map((name) => host.get(name)));
    await host.kill();
    for (const file of await readdir(host.path('status')))
      if (file.endsWith('.yaml')) await rm(host.path('status', file));
    await host.start();
    for (const { program_id, container_id, proxy_url } of before) {
      const now = await host.untilState(program_id, 'Ready');
      assert.deepEqual([now.container_id, now.proxy_url], [container_id, proxy_url]);
    }
  });
});

async function tell(): Promise<string> {
  const { text } = await host.call('GET', '/programs');
  const containers = (await host.containers()).map(({ Names, State, Labels }) => ({ Names, State, Labels }));
  const log = host
    .log()
    .slice(-40)
    .map((line) => JSON.stringify(line));
  return [text, JSON.stringify(containers, null, 1), ...log].join('\n');
}
