import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gitIn } from '../registry/git/stage.ts';
import { createHost, type Host, manifestText } from './host.ts';
import { until } from './until.ts';

/** A host that follows a branch which it would look at once a day, and tells a receiver that fails at first. */

const SECRET = 'the secret of this test';
const PATH = '/services/s3cret-path';

let host: Host;
let folder: string;
let url: string;
interface Got {
  path: string;
  signature: string;
  body: string;
  json: Record<string, unknown>;
}
const got: Got[] = [];
/** What the crash loop is about, and nothing that a busy machine may bring. */
const loops = () => got.filter(({ json }) => json.program === 'exits' && json.reason === 'CrashLoopBackOff');
/** The first tries of it are answered so. */
const REFUSALS = [500, 302];
const receiver = createServer((req, res) => {
  let body = '';
  req.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  req.on('end', () => {
    const signature = String(req.headers['x-hersh-signature-256']);
    const one = { path: req.url ?? '', signature, body, json: JSON.parse(body) };
    got.push(one);
    const status = loops().includes(one) ? REFUSALS[loops().length - 1] : undefined;
    res.writeHead(status ?? 204, { Location: '/elsewhere' }).end();
  });
});

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hersh-e2e-hooks-'));
  const origin = join(folder, 'origin.git');
  await gitIn(folder, 'init', '-q', '--bare', '-b', 'main', origin);
  await gitIn(folder, 'clone', '-q', origin, join(folder, 'clone'));
  await push('first');
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  host = await createHost('29690-29699');
  await host.start({
    args: ['--git-remote', origin, '--git-interval', '24h'],
    env: {
      ...{ HERSH_NOTIFY: `${url}${PATH}?token=s3cret-query` },
      ...{ HERSH_NOTIFY_SECRET: SECRET, HERSH_GIT_HOOK_SECRET: SECRET },
    },
  });
});

after(async () => {
  await host?.close();
  receiver.closeAllConnections();
  receiver.close();
  rmSync(folder, { recursive: true, force: true });
});

async function push(name: string, spec: Record<string, unknown> = {}): Promise<void> {
  const clone = join(folder, 'clone');
  await mkdir(join(clone, 'programs'), { recursive: true });
  await writeFile(join(clone, 'programs', `${name}.yaml`), manifestText(name, spec));
  await gitIn(clone, 'add', '-A');
  await gitIn(clone, 'commit', '-q', '-m', name);
  await gitIn(clone, 'push', '-q', 'origin', 'HEAD:main');
}

const tell = (signature: string) =>
  host.call('POST', '/hooks/git', '{"ref":"refs/heads/main"}', {
    headers: { 'X-Hub-Signature-256': signature },
  });
const sign = (body: string) => `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;

describe('webhooks', { concurrency: false }, () => {
  it('in: a push is followed as soon as the forge tells of it, and not before', async () => {
    await host.untilState('first', 'Ready');
    await push('exits', { env: { EXIT: '5' } });
    assert.equal((await tell(sign('{}'))).status, 401);
    assert.equal((await host.call('GET', '/programs/exits')).status, 404);
    const { status, json } = await tell(sign('{"ref":"refs/heads/main"}'));
    assert.deepEqual([status, json], [202, { message: 'the remote is looked at' }]);
    await host.untilProgram('exits', 'is known', () => true);
  });

  it('out: a crash loop is posted until the receiver takes it, signed, and nothing is posted twice', async () => {
    await until('the receiver took it', () => loops().length > REFUSALS.length);
    assert.deepEqual([...new Set(got.map(({ path }) => path))], [`${PATH}?token=s3cret-query`]);
    for (const { signature, body } of got) assert.equal(signature, sign(body));
    const [first] = loops();
    assert.equal(first?.json.instance, host.instance);
    assert.match(String(first?.json.message), /exit code 5/);
    const sent = `hersh_notifications_sent_total{receiver="${new URL(url).host}"} `;
    const waits = 'hersh_notifications_waiting 0\n';
    await until('it is counted', async () => {
      const { text } = await host.call('GET', '/metrics');
      return text.includes(waits) && text.includes(sent) && !text.includes(`${sent}0`);
    });
    assert.equal(loops().length, REFUSALS.length + 1);
    assert.equal(new Set(loops().map(({ json }) => json.id)).size, 1);
  });

  it('no log line holds the address of the receiver but its host, or a secret', async () => {
    assert.equal(await host.stop(), 0);
    const log = JSON.stringify(host.log());
    assert.match(log, /a notification could not be posted/);
    assert.doesNotMatch(log + host.child().stderr(), /s3cret|the secret of/);
  });
});
