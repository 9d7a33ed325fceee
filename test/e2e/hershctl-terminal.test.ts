import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Hershctl, hershctlOf } from './hershctl.ts';
import { createHost, type Host } from './host.ts';

/** `hershctl` at a terminal: script(1) of util-linux makes one, stty(1) its width. */

const LONG = `an-id-${'0123456789abcdef'.repeat(3)}`;
/** As a terminal is told to colour, or to move. */
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;

let host: Host;
let hershctl: Hershctl;
let dir = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hershctl-e2e-'));
  host = await createHost('29370-29379');
  const server = await (await host.start()).url();
  hershctl = await hershctlOf(server, dir);
  await mkdir(join(dir, 'good'));
  await writeFile(
    join(dir, 'good', 'Dockerfile'),
    `FROM hersh-test/server:latest\nLABEL run=${host.marker}\n`,
  );
  await host.writeManifest('web');
  await host.writeManifest(LONG, { desiredState: 'Stopped' });
  await host.untilState('web', 'Ready');
  await host.untilState(LONG, 'Created');
  await hershctl.run('context', 'set', LONG, '--server', server);
});

after(async () => {
  await host?.close();
  await rm(dir, { recursive: true, force: true });
});

async function lines(columns: number, ...argv: string[]): Promise<string[]> {
  const { code, out } = await hershctl.terminal(columns, ...argv).ended;
  assert.equal(code, 0, out);
  return out.replaceAll('\r', '').split('\n');
}

const TABLES = ['get', 'get -o wide', 'events', 'events web', 'history web', 'top', 'context list'];

for (const columns of [80, 40]) {
  it(`tables fit a terminal of ${columns} columns, in colours`, async () => {
    for (const words of TABLES) {
      const shown = await lines(columns, ...words.split(' '));
      assert.ok(shown.length > 2, words);
      for (const line of shown)
        assert.ok([...line.replace(ESCAPES, '')].length <= columns, `${words}: ${line}`);
    }
    assert.ok((await lines(columns, 'get')).join('').includes('\u001b[32mReady\u001b[39m'));
    // Below its facts, which are whole, describe has tables.
    const described = (await lines(columns, 'describe', LONG)).map((line) => line.replace(ESCAPES, ''));
    const tables = described.slice(described.findIndex((line) => line.startsWith('Conditions')));
    assert.ok(tables.length > 5);
    for (const line of tables) assert.ok([...line].length <= columns, line);
  });
}

it('no colour where none is wanted, and nothing moves where nobody looks', async () => {
  const plain = hershctl.with({ NO_COLOR: '1' });
  const { out } = await plain.terminal(80, 'get').ended;
  assert.match(out, /web +Ready/);
  assert.doesNotMatch(out, ESCAPES);
  assert.doesNotMatch((await lines(80, '--no-color', 'get')).join('\n'), ESCAPES);
});

it('a deploy moves, and ends with steps, states and the URL', async () => {
  const { code, out } = await hershctl.terminal(40, 'deploy', 'good', '--name', 'made').ended;
  assert.equal(code, 0, out);
  const { proxy_url: url } = await host.get('made');
  const text = out.replace(ESCAPES, '');
  assert.match(text, /✔ made: Ready\r?\n/);
  assert.equal(text.trim().split(/\r?\n/).at(-1), url);
});

it('Ctrl-C that is typed ends what follows, and leaves a question unanswered', async () => {
  const get = hershctl.terminal(80, 'get', '-w');
  await get.shows(/Ready/);
  get.child.stdin?.write('\u0003');
  assert.equal((await get.ended).code, 130);
  const remove = hershctl.terminal(80, 'delete', 'made');
  await remove.shows(/made/);
  remove.child.stdin?.write('\u0003');
  assert.equal((await remove.ended).code, 130);
  assert.equal((await host.get('made')).state, 'Ready');
  const again = hershctl.terminal(80, 'delete', 'made');
  await again.shows(/made/);
  again.child.stdin?.write('made\r');
  assert.equal((await again.ended).code, 0);
  await host.untilGone('made');
});
