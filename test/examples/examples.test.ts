import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { fetch, type Response } from 'undici';
import { parseManifest } from '../../registry/manifests/manifest.ts';
import { ensureBaseImages } from '../setup/base-images.ts';
import { exampleFiles, exampleNames, withDefaults } from '../setup/example-files.ts';
import { ROOT } from '../setup/host-settings.ts';
import { buildExample, type RunningExample, runExample } from './run-example.ts';

const docker = new Docker();
let buildArgs: Record<string, string> = {};

before(async () => {
  ({ buildArgs } = await ensureBaseImages(() => {}, docker));
});

describe('every example', () => {
  for (const name of exampleNames()) {
    test(`${name} has a valid manifest that says how to use it, a Dockerfile and a README`, () => {
      const text = read(name, 'program.yaml');
      const { program, problems } = parseManifest(text, `${name}/program.yaml`, name, { runtime: 'runc' });
      assert.deepEqual(problems, []);
      assert.equal(program?.name, name);
      const spec = program?.rawSpec as { build: { context: string } };
      assert.equal(spec.build.context, `sources/${name}`);
      assert.match(text, new RegExp(`cp -r examples/${name} registry/sources/${name}`));
      assert.match(text, new RegExp(`examples/${name}/program.yaml registry/programs/${name}.yaml`));
      assert.match(read(name, 'README.md'), new RegExp(`^# ${name}\n`));
    });

    test(`${name} installs nothing in its Dockerfile and takes its bases as arguments`, () => {
      const { dockerfile } = exampleFiles(name);
      assert.doesNotMatch(dockerfile, /\b(apk|apt-get|npm)\b/);
      for (const [, base] of dockerfile.matchAll(/^FROM (\S+)/gm))
        assert.match(base ?? '', /^\$\{[A-Z_]+\}$/);
      assert.match(dockerfile, /^EXPOSE 8080$/m);
      const replaced = withDefaults(dockerfile, { NODE_IMAGE: 'n:1', GO_IMAGE: 'g:1', RUNTIME_IMAGE: 'r:1' });
      assert.doesNotMatch(replaced, /^ARG \S+=(node|golang|alpine):/m);
    });
  }
});

describe('counter', () => {
  let example: RunningExample;
  before(async () => {
    example = await runExample(docker, await buildExample(docker, 'counter', buildArgs));
    await example.ready('/watcher/status');
  });
  after(() => example?.remove());

  test('serves the WatcherAPI', async () => {
    await assertWatcherStatus(example);
    assert.deepEqual(await message(example, 'hello'), { status: 'message sent' });
    await until(async () => /message: hello/.test(await example.log()));
    const url = `${await example.url()}/watcher/message`;
    assert.equal((await fetch(url, { method: 'POST', body: '{' })).status, 400);
  });

  test('keeps its count through a crash', async () => {
    assert.deepEqual(await (await post(example, '/count')).json(), { count: 1 });
    assert.deepEqual(await (await post(example, '/count')).json(), { count: 2 });
    await post(example, '/crash');
    assert.equal((await example.container.wait()).StatusCode, 1);
    await example.container.start();
    await example.ready('/watcher/status');
    const count = await fetch(`${await example.url()}/count`);
    assert.deepEqual(await count.json(), { count: 2 });
  });

  test('ends at once on SIGTERM', () => assertStopsWell(example));
});

describe('trading-sim', () => {
  let example: RunningExample;
  before(async () => {
    example = await runExample(docker, await buildExample(docker, 'trading-sim', buildArgs));
    await example.ready('/watcher/status');
  });
  after(() => example?.remove());

  test('serves the WatcherAPI', () => assertWatcherStatus(example));

  for (const [command, answer] of [
    [
      'status',
      /📊 Quick Status Summary\n─+\n💼 Portfolio Value: \$[\d,]+\.\d\d \([+-]\d+\.\d\d%\)\n📈 Total Trades: \d/,
    ],
    ['portfolio', /💵 Cash: \$/],
    ['trades', /📈 Trades \(/],
    ['prices', /💰 BTC: \$[\d,]+\.\d\d \(/],
    ['help', /📖 Commands\n─+\nstatus/],
    ['dance', /Unknown command: "dance"\. Try: status, portfolio, trades, prices, help/],
  ] as const) {
    test(`answers ${command} in its log`, async () => {
      assert.deepEqual(await message(example, command), { status: 'message sent' });
      await until(async () => answer.test(await example.log()));
    });
  }

  test('saves its portfolio on SIGTERM and takes it up again', async () => {
    await assertStopsWell(example);
    await example.container.start();
    await example.ready('/watcher/status');
    await message(example, 'status');
    const ticks = /Feed: simulated \(([\d,]+) ticks\)/g;
    await until(async () => {
      const seen = [...(await example.log()).matchAll(ticks)].map(([, count]) =>
        Number(count?.replace(',', '')),
      );
      return seen.length >= 2 && (seen.at(-1) ?? 0) >= (seen[0] ?? 0);
    });
  });
});

describe('static-site', () => {
  let example: RunningExample;
  before(async () => {
    example = await runExample(docker, await buildExample(docker, 'static-site', buildArgs));
    await example.ready('/');
  });
  after(() => example?.remove());

  test('serves its files with their types, and no others', async () => {
    const url = await example.url();
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/index.html', 'text/html'],
      ['/style.css', 'text/css'],
      ['/mark.svg', 'image/svg+xml'],
    ]) {
      const answer = await fetch(`${url}${path}`);
      assert.equal(answer.status, 200, path);
      assert.ok(answer.headers.get('content-type')?.startsWith(type ?? ''), path);
    }
    assert.equal((await fetch(`${url}/serve.mjs`)).status, 404);
    assert.equal((await fetch(`${url}/%2e%2e/serve.mjs`)).status, 404);
    assert.equal((await fetch(`${url}/`, { method: 'POST' })).status, 405);
  });

  test('ends at once on SIGTERM', () => assertStopsWell(example));
});

async function assertWatcherStatus(example: RunningExample): Promise<void> {
  const answer = await fetch(`${await example.url()}/watcher/status`);
  assert.equal(answer.status, 200);
  const status = (await answer.json()) as Record<string, unknown>;
  assert.deepEqual(Object.keys(status).sort(), ['isRunning', 'lastUpdate', 'state', 'uptime', 'watcherID']);
  assert.equal(status.state, 'Ready');
  assert.equal(status.isRunning, true);
  assert.match(String(status.uptime), /^(\d+h)?(\d+m)?\d+s$/);
  assert.ok(Date.parse(String(status.lastUpdate)) > 0);
}

/** Within 3 s of SIGTERM and with code 0: far from the grace period of 10 s, after which it would be 137. */
async function assertStopsWell(example: RunningExample): Promise<void> {
  await example.container.stop({ t: 3 });
  assert.equal((await example.container.inspect()).State.ExitCode, 0);
}

async function message(example: RunningExample, content: string): Promise<unknown> {
  return await (await post(example, '/watcher/message', JSON.stringify({ content }))).json();
}

async function post(example: RunningExample, path: string, body = ''): Promise<Response> {
  return await fetch(`${await example.url()}${path}`, { method: 'POST', body });
}

async function until(condition: () => Promise<boolean>, limitMs = 120_000): Promise<void> {
  for (const deadline = Date.now() + limitMs; !(await condition()); await sleep(50)) {
    if (Date.now() > deadline) assert.fail(`not so within ${limitMs} ms: ${condition}`);
  }
}

function read(name: string, file: string): string {
  return readFileSync(join(ROOT, 'examples', name, file), 'utf8');
}
