import assert from 'node:assert/strict';
import { readFile, rename, rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createHost, type Host, manifestText, type Program } from './host.ts';
import { until } from './until.ts';

/** Manifests that people write by hand, and the sources they name: what is taken up, what is not, and what is said. */

let host: Host;

before(async () => {
  host = await createHost('29510-29539');
  await host.start();
});

after(() => host?.close());

/** A program that runs, from a manifest and a context of its own. */
async function running(name: string): Promise<Program> {
  const context = await host.writeContext(name, 'ENV VERSION=1');
  await host.writeManifest(name, { build: { context } });
  return host.untilState(name, 'Ready');
}

const versionOf = async (program: Program) =>
  /^VERSION=(.*)$/m.exec((await host.direct(program, '/env')).text)?.[1];
const condition = ({ conditions }: Program, type: string) => conditions.find((one) => one.type === type);

describe('manifests written by hand', { concurrency: 4 }, () => {
  it('run from any folder of the registry, with a binary in it and a Dockerfile of another name', async () => {
    await host.writeFile('teams/desk-3/bot/server', await serverBinary(), 0o755);
    await host.writeFile(
      'teams/desk-3/bot/build/Prod.dockerfile',
      `ARG MODE\nFROM scratch\nARG MODE\nLABEL run=${host.marker}\nENV VERSION=$MODE\nCOPY server /server\nEXPOSE 8080\nCMD ["/server"]\n`,
    );
    const build = {
      context: 'teams/desk-3/bot',
      dockerfile: 'build/Prod.dockerfile',
      args: { MODE: 'live' },
    };
    await host.writeManifest('anywhere', { build });
    const program = await host.untilState('anywhere', 'Ready');
    assert.equal(await versionOf(program), 'live');
    assert.match(program.build_id, /^build-[0-9a-f]{12}$/);
    const { json } = await host.call('GET', '/programs/anywhere/source');
    assert.deepEqual(Object.keys(json.files).sort(), ['Dockerfile', 'build/Prod.dockerfile', 'server']);
  });

  it('rebuild and replace when a source file is edited; the old one serves until then', async () => {
    const before = await running('edited');
    const answers = keepAsking(before);
    await host.writeContext('edited', 'ENV VERSION=2 LISTEN_AFTER_MS=300');
    const after = await host.untilProgram(
      'edited',
      'runs its new sources',
      ({ state, container_id }) => state === 'Ready' && container_id !== before.container_id,
    );
    assert.equal(await versionOf(after), '2');
    assert.notEqual(after.build_id, before.build_id);
    assert.deepEqual([after.proxy_url, after.restart_count], [before.proxy_url, 0]);
    assert.ok(after.revision > before.revision);
    await until('the old container is gone', async () => (await host.containers('edited')).length === 1);
    const seen = await answers();
    // One port can not be handed over without a gap; what comes after the gap is the new one.
    assert.deepEqual(
      seen.filter((version, index) => version !== 'none' && version !== seen[index - 1]).filter(unique),
      ['1', '2'],
    );
    const states = (await host.events('edited')).map(({ state }) => state);
    assert.ok(
      !states.includes('Error') && states.filter((state) => state === 'Building').length === 1,
      `${states}`,
    );
  });

  it('stay in force when they break: file, line and column are told; the right file heals it', async () => {
    const before = await running('broken');
    const good = manifestText('broken', { build: { context: 'sources/broken' } });
    const bad = good.replace('metadata:', 'metadata :').replace('spec: {', 'spec: {"publishPort": "x", ');
    await host.writeFile('programs/broken.yaml', bad);
    const told = await host.untilProgram('broken', 'is told to be broken', ({ reason }) => reason !== '');
    const words = 'programs/broken.yaml:4:23: spec.publishPort must be an integer';
    assert.deepEqual([told.state, told.reason], ['Ready', 'InvalidManifest']);
    assert.ok(told.error_msg.startsWith(words), told.error_msg);
    const valid = condition(told, 'Valid');
    assert.deepEqual([valid?.status, valid?.reason], ['False', 'InvalidManifest']);
    assert.ok(valid?.message.startsWith(words));
    assert.equal(told.container_id, before.container_id);
    assert.equal((await host.direct(told, '/watcher/status')).status, 200);
    const stop = await host.call('POST', '/programs/broken/stop');
    assert.equal(stop.status, 200, 'a call is obeyed all the same');
    await host.untilState('broken', 'Stopped');
    const { text } = await host.call('GET', '/programs/broken/manifest');
    assert.match(text, /desiredState"?: "?Stopped/);
    assert.equal((await host.call('POST', '/programs/broken/start')).status, 200);
    await host.untilState('broken', 'Ready');
    await host.writeFile('programs/broken.yaml', good);
    const healed = await host.untilProgram('broken', 'is healed', ({ reason }) => reason === '');
    assert.deepEqual(
      [healed.state, healed.container_id, healed.error_msg],
      ['Ready', before.container_id, ''],
    );
    assert.equal(condition(healed, 'Valid')?.status, 'True');
  });

  it('say what is wrong where nothing valid was ever known, and hold no container', async () => {
    const cases: Record<string, [text: string, wanted: RegExp]> = {
      'bad-yaml': ['apiVersion: hersh.dev/v1\nkind: [\n', /^programs\/bad-yaml\.yaml:\d+:\d+: /],
      'bad-stem': [manifestText('another'), /^programs\/bad-stem\.yaml:3:18: metadata\.name .*bad-stem/],
      'bad-field': [
        manifestText('bad-field', { memroy: 1 }),
        /^programs\/bad-field\.yaml:4:\d+: spec\.memroy is not a known field/,
      ],
      'bad-status': [
        `${manifestText('bad-status')}status: {state: Ready}\n`,
        /^programs\/bad-status\.yaml:5:\d+: status does not belong in a manifest/,
      ],
      'bad-empty': ['', /^programs\/bad-empty\.yaml:1:1: the file is empty/],
      'bad-bomb': [bomb(), /^programs\/bad-bomb\.yaml.*(alias|Excessive)/i],
      'bad-bytes': [`${manifestText('bad-bytes')}# \u0000\n`, /^programs\/bad-bytes\.yaml.*not UTF-8/],
      'bad-out': [
        manifestText('bad-out', { build: { context: '../elsewhere' } }),
        /^programs\/bad-out\.yaml:4:\d+: spec\.build\.context/,
      ],
    };
    for (const [name, [text]] of Object.entries(cases)) await host.writeFile(`programs/${name}.yaml`, text);
    for (const [name, [, wanted]] of Object.entries(cases)) {
      const program = await host.untilProgram(
        name,
        `says ${wanted}`,
        ({ state, error_msg }) => state === 'Error' && wanted.test(error_msg),
      );
      assert.deepEqual([program.reason, program.container_id], ['InvalidManifest', '']);
      assert.deepEqual(await host.containers(name), []);
      await rm(host.path(`programs/${name}.yaml`));
      await host.untilGone(name);
    }
  });

  it('are not taken half written: the first half of a file that grows is never obeyed', async () => {
    const before = await running('growing');
    const text = manifestText('growing', { build: { context: 'sources/growing' }, env: { GROWN: 'yes' } });
    const lines = text.split('\n');
    await host.writeFile('programs/growing.yaml', `${lines.slice(0, 3).join('\n')}\n`);
    await host.writeFile('programs/growing.yaml', text);
    const after = await host.untilProgram(
      'growing',
      'is replaced',
      ({ revision }) => revision > before.revision,
    );
    assert.match((await host.direct(await host.untilState('growing', 'Ready'), '/env')).text, /^GROWN=yes$/m);
    assert.equal(after.restart_count, 0);
  });

  it('clash by case: the second name is refused, the first one runs on', async () => {
    await host.writeManifest('Case');
    const first = await host.untilState('Case', 'Ready');
    await host.writeManifest('case');
    await host.untilProgram('case', 'is refused', ({ error_msg }) => /case only/.test(error_msg));
    assert.equal((await host.get('Case')).container_id, first.container_id);
    await rm(host.path('programs/Case.yaml'));
    await host.untilGone('Case');
    await host.untilState('case', 'Ready');
  });

  it('are deleted by removing the file, and edited by calls without losing a comment', async () => {
    const text = `# keep me\n${manifestText('commented')}# and me\n`;
    await host.writeFile('programs/commented.yaml', text);
    await host.untilState('commented', 'Ready');
    await host.call('POST', '/programs/commented/stop');
    const stopped = await host.untilState('commented', 'Stopped');
    const now = await readFile(host.path('programs/commented.yaml'), 'utf8');
    assert.match(now, /^# keep me\n[\s\S]*desiredState"?: "?Stopped[\s\S]*# and me\n$/);
    assert.equal((await host.call('POST', '/programs/commented/start')).json.state, 'Stopped');
    const again = await host.untilState('commented', 'Ready');
    assert.equal(again.container_id, stopped.container_id, 'the same container is started again');
    await rm(host.path('programs/commented.yaml'));
    await host.untilGone('commented');
  });

  it('a changed field replaces the container, one that costs nothing does not', async () => {
    await host.writeManifest('fields', { env: { COLOR: 'red' } });
    const red = await host.untilState('fields', 'Ready');
    await host.writeManifest('fields', { env: { COLOR: 'red' }, stopGracePeriodSeconds: 2 });
    await host.writeManifest('fields', { env: { COLOR: 'blue' }, stopGracePeriodSeconds: 2 });
    const blue = await host.untilProgram(
      'fields',
      'is blue',
      ({ state, container_id }) => state === 'Ready' && container_id !== red.container_id,
    );
    assert.match((await host.direct(blue, '/env')).text, /^COLOR=blue$/m);
    assert.match((await host.direct(blue, '/env')).text, /^HERSH_PROGRAM_ID=fields$/m);
  });

  it('are taken when an editor replaces the file by a rename', async () => {
    const before = await running('renamed');
    const text = manifestText('renamed', { build: { context: 'sources/renamed' }, env: { EDITOR: 'vi' } });
    await host.writeFile('programs/.renamed.yaml.swp', 'no manifest');
    await host.writeFile('programs/renamed.yaml~', 'no manifest');
    await host.writeFile('programs/4913', text);
    await rename(host.path('programs/4913'), host.path('programs/renamed.yaml'));
    await host.untilProgram(
      'renamed',
      'is replaced',
      ({ state, container_id }) => state === 'Ready' && container_id !== before.container_id,
    );
    const names = (await host.call('GET', '/programs')).json.programs.map((one: Program) => one.program_id);
    assert.ok(!names.some((name: string) => name.includes('swp') || name.includes('~')), `${names}`);
  });
});

const unique = (value: string, index: number, all: string[]) => all.indexOf(value) === index;

/** Asks for the version over and over; the function given back ends that and gives the answers in order. */
function keepAsking(program: Program): () => Promise<string[]> {
  const seen: string[] = [];
  let going = true;
  const loop = (async () => {
    while (going) seen.push((await versionOf(program).catch(() => 'none')) ?? 'none');
  })();
  return async () => {
    await until('the new version was seen', () => seen.includes('2'));
    going = false;
    await loop;
    return seen;
  };
}

/** Nine levels of nine aliases: 387 million nodes from a few hundred bytes. */
function bomb(): string {
  const levels = Array.from(
    { length: 8 },
    (_, n) => `${'bcdefghi'[n]}: &${'bcdefghi'[n]} [${Array(9).fill(`*${'abcdefgh'[n]}`)}]`,
  );
  return ['a: &a [x, x, x, x, x, x, x, x, x]', ...levels, ''].join('\n');
}

/** The static test program itself, out of its image. */
async function serverBinary(): Promise<Buffer> {
  const { extract } = await import('tar-stream');
  const container = await host.docker.createContainer({ Image: 'hersh-test/server', NetworkDisabled: true });
  try {
    const tar = extract();
    (await container.getArchive({ path: '/server' })).pipe(tar);
    const chunks: Buffer[] = [];
    // Read to its end, since what is left unread would hold the connection.
    for await (const entry of tar) for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (chunks.length > 0) return Buffer.concat(chunks);
    throw new Error('the test image holds no /server');
  } finally {
    await container.remove();
  }
}
