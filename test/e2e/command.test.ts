import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { after, before, it } from 'node:test';
import type { Finding } from '../../api/cli/doctor/finding.ts';
import { ensureBusybox } from '../engine/docker-fixture.ts';
import { ROOT } from '../setup/host-settings.ts';
import { createHost, type Host } from './host.ts';
import { until } from './until.ts';

/** `hershctl` as a process of its own, against a whole host: what needs both, the command's streams and a real engine. */

let host: Host;
let url = '';

before(async () => {
  host = await createHost('29950-29959');
  url = await (await host.start()).url();
});

after(() => host?.close());

function start(...argv: string[]) {
  const { HERSH_SERVER: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const child = spawn(process.execPath, ['api/cli/hershctl.mjs', '--server', url, ...argv], {
    cwd: ROOT,
    env,
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk) => out.push(chunk));
  child.stderr.on('data', (chunk) => err.push(chunk));
  const ended = once(child, 'close').then(([code]) => ({
    ...{ code: Number(code), out: Buffer.concat(out), err: Buffer.concat(err).toString('utf8') },
  }));
  return { child, ended, out: () => Buffer.concat(out).toString('utf8') };
}

async function run(input: string | Buffer, ...argv: string[]) {
  const { child, ended } = start(...argv);
  child.stdin.on('error', () => undefined).end(input);
  return ended;
}

it('exec runs in the container, passes all bytes on, ends with Ctrl-C, and is told as an event', async () => {
  const folder = await host.writeContext(
    'shell',
    [
      'COPY busybox /busybox',
      'RUN ["/busybox","mkdir","/bin"]',
      'RUN ["/busybox","--install","-s","/bin"]',
    ].join('\n'),
  );
  await host.writeFile(`${folder}/busybox`, await readFile(await ensureBusybox()), 0o755);
  await host.writeManifest('web', { build: { context: folder }, env: { TOKEN: 's3cret-word' } });
  await host.untilState('web', 'Ready');

  const said = await run(
    '',
    'exec',
    'web',
    '--',
    'sh',
    '-c',
    'echo "$TOKEN"; echo err >&2; exit 3',
    's3cret-word',
  );
  assert.deepEqual([said.code, said.out.toString(), said.err], [3, 's3cret-word\n', 'err\n']);
  const [event] = (await host.events('web')).filter(({ reason }) => reason === 'Exec');
  assert.equal(event?.author, 'e2e');
  assert.match(event?.message ?? '', /^sh -c "echo .* \*\*\* is run in its container, by a call$/);

  // More than any buffer between holds.
  const bytes = randomBytes(3 * 2 ** 20);
  const back = await run(bytes, 'exec', '-i', 'web', '--', 'cat');
  const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex');
  assert.deepEqual([back.code, back.err, back.out.length], [0, '', bytes.length]);
  assert.equal(sum(back.out), sum(bytes));

  const going = start('exec', 'web', '--', 'sh', '-c', 'echo on; sleep 7655');
  await until('it runs', async () => going.out() === 'on\n');
  going.child.kill('SIGINT');
  assert.equal((await going.ended).code, 130);
  const processes = async () => (await run('', 'exec', 'web', '--', 'ps')).out.toString();
  await until('it is ended', async () => !(await processes()).includes('sleep 7655'));

  const none = await run('', 'exec', 'web', '--', 'not-there');
  assert.ok(none.code === 126 || none.code === 127, String(none.code));
  await host.call('POST', '/programs/web/stop');
  await host.untilState('web', 'Stopped');
  const stopped = await run('', 'exec', '--failure-code', '200', 'web', '--', 'true');
  assert.equal(stopped.code, 200);
  assert.match(
    stopped.err,
    /^error: program not running; its state is Stopped\nhershctl start web starts it\n$/,
  );
});

it('doctor finds engine, registry and host, also where the host does not run', async () => {
  const look = async () => {
    const { out } = await run('', 'doctor', '-o', 'json', '--registry', host.path());
    const { findings } = JSON.parse(out.toString()) as { findings: Finding[] };
    return (check: string) => findings.find((one) => one.check === check)?.status;
  };
  const up = await look();
  // Whether disks are full, or ports taken by others, is not for a test to say.
  const there = [
    'host',
    'versions',
    'host-engine',
    'engine',
    'cgroup',
    'runtime',
    'registry',
    'lock',
    'manifests',
  ];
  for (const check of there) assert.equal(up(check), 'ok', check);
  await host.stop();
  const down = await look();
  assert.equal(down('host'), 'warning');
  for (const check of there.slice(3)) assert.equal(down(check), 'ok', check);
});
