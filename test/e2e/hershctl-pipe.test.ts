import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, it } from 'node:test';
import { parse } from 'yaml';
import type { Io } from '../../api/cli/io/io.ts';
import { createProgram } from '../../api/cli/program.ts';
import { mapLimit } from '../../registry/files/map-limit.ts';
import { assertDocumented, assertMatches } from '../api/openapi.ts';
import { type Hershctl, hershctlOf, type Said } from './hershctl.ts';
import { createHost, type Host, manifestText } from './host.ts';

/** Every command of `hershctl` against a whole host, in a pipe: its exit code, and its data as the API's document has it. */

let host: Host;
let hershctl: Hershctl;
let dir = '';
/** Commands that change nothing, beside each other. */
const AT_ONCE = 3;
/** What was called. */
const called = new Set<string>();

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hershctl-e2e-'));
  host = await createHost('29350-29359');
  hershctl = await hershctlOf(await (await host.start()).url(), dir);
  const label = `LABEL run=${host.marker}`;
  await write('good/Dockerfile', `FROM hersh-test/server:latest\n${label}\n`);
  await write('bad/Dockerfile', `FROM hersh-test/server:latest\n${label}\nRUN ["/not-there"]\n`);
});

after(async () => {
  await host?.close();
  await rm(dir, { recursive: true, force: true });
});

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), text);
}

/** Calls it, and holds it to its exit code; in a pipe nothing moves a cursor. */
async function does(code: number, ...argv: string[]): Promise<Said> {
  const group = ['state', 'context', 'token'].includes(argv[0] ?? '');
  called.add(argv.slice(0, group ? 2 : 1).join(' '));
  const said = await hershctl.run(...argv);
  const words = `hershctl ${argv.join(' ')}\n${said.out}\n${said.err}`;
  assert.equal(said.code, code, words);
  assert.ok(!/[\u001b\r]/.test(said.out + said.err), words);
  assert.doesNotMatch(said.err, /a bug of hershctl/);
  return said;
}

/** The same with `-o json`, which is an answer of that route. */
async function tells(path: string, ...argv: string[]): Promise<Record<string, unknown>> {
  const { out } = await does(0, ...argv, '-o', 'json');
  assertDocumented('GET', path, { status: 200, contentType: 'application/json', text: out });
  return JSON.parse(out);
}

it('makes programs: deploy, validate, diff, apply', async () => {
  const made = await tells('/programs/web', 'deploy', 'good', '--name', 'web');
  assert.deepEqual([made.state, made.user_id], ['Ready', 'ann']);
  const again = await does(0, 'deploy', 'good', '--name', 'web');
  assert.equal(again.out, `${made.proxy_url}\n`);
  const failed = await does(1, 'deploy', 'bad', '--name', 'broken');
  assert.equal(failed.out, '');
  assert.doesNotMatch(failed.err, /: Created/);
  assert.match(failed.err, /the build of broken failed[\s\S]*bad\/Dockerfile:3: RUN \["\/not-there"\]/);
  assert.match((await does(1, 'build-log', 'broken', '-f')).err, /Failed/);

  await write('programs/web-2.yaml', manifestText('web-2'));
  await does(0, 'validate', 'programs');
  assert.match((await does(1, 'diff', '-f', 'programs')).out, /web-2/);
  assert.match((await does(0, 'apply', '-f', 'programs', '--dry-run')).out, /web-2/);
  await does(4, 'describe', 'web-2');
  assert.match((await does(0, 'apply', '-f', 'programs')).out, /^web-2: created$/m);
  assert.equal((await does(0, 'diff', '-f', 'programs/web-2.yaml')).out, '');
  assert.equal((await does(0, 'wait', 'web-2', '--for=Ready', '--timeout', '5m')).out, 'web-2: Ready\n');
});

it('tells of them, as data that the document of the API has', async () => {
  const all = await tells('/programs', 'get');
  assert.equal(all.count, 3);
  const one = await tells('/programs/web', 'get', 'web');
  assert.deepEqual(parse((await does(0, 'get', 'web', '-o', 'yaml')).out), one);
  const routes: [path: string, ...argv: string[]][] = [
    ['/programs', 'get', 'web', 'web-2'],
    ['/events', 'events'],
    ['/programs/web/events', 'events', 'web'],
    ['/programs/web/revisions', 'history', 'web'],
    ['/usage', 'top'],
    ['/usage', 'top', 'web'],
  ];
  await mapLimit(routes, AT_ONCE, ([path, ...argv]) => tells(path, ...argv));
  assertMatches('#/components/schemas/Build', (await does(0, 'build-log', 'web', '-o', 'json')).out, 'build');
  assert.match((await does(0, 'build-log', 'web')).out, /hersh-test\/server/);
  assert.match((await does(0, 'history', 'web', '--spec', '1')).out, /^userId: ann$/m);
  assert.match((await does(0, 'describe', 'web', 'web-2')).out, /^Name: +web\n[\s\S]*^Name: +web-2$/m);
  const [, line = ''] = (await does(0, 'get', '-o', 'wide')).out.split('\n').map((one) => one.split(/ {2,}/));
  assert.ok(line.includes('broken') && line.includes('BuildFailed'), line.toString());
  assert.equal((await does(0, 'logs', 'web', '--tail', '1')).out, 'listening on 8080\n');
  assert.match((await does(0, 'logs', 'web', '--timestamps')).out, /^\d{4}-\S+Z listening on 8080$/m);
  const { client } = JSON.parse((await does(0, 'version', '-o', 'json')).out);
  assert.match(client, /^\d+\.\d+\.\d+/);
  const { findings, failed } = JSON.parse((await hershctl.run('doctor', '-o', 'json')).out);
  assert.ok(findings.length > 5);
  await does(failed > 0 ? 1 : 0, 'doctor', '--registry', host.path());
});

it('changes them: stop, start, restart, rollback, pause, resume, state', async () => {
  const is = (name: string, state: string) => does(0, 'wait', name, `--for=${state}`, '--timeout', '5m');
  await does(0, 'stop', 'web', 'web-2');
  await is('web', 'Stopped');
  await is('web-2', 'Stopped');
  await does(0, 'state', 'export', 'web', 'web.tar');
  assert.ok((await readFile(join(dir, 'web.tar'))).length >= 1_024);
  await does(0, 'state', 'import', 'web-2', 'web.tar');
  await does(0, 'start', 'web');
  await is('web', 'Ready');
  await does(5, 'state', 'export', 'web', 'web.tar');
  await does(0, 'restart', 'web');
  await is('web', 'Ready');

  await write('programs/web-2.yaml', manifestText('web-2', { env: { A: '1' } }));
  assert.match((await does(0, 'apply', '-f', 'programs')).out, /^web-2: /);
  await is('web-2', 'Ready');
  assert.match((await does(0, 'rollback', 'web-2', '--to', '1')).out, /web-2/);
  await host.untilProgram('web-2', 'is back', ({ revision, state }) => revision !== 2 && state === 'Ready');

  await does(0, 'pause', 'web', '--why', 'a look');
  assert.match((await does(0, 'get', 'web')).out, /Paused/);
  await does(0, 'resume', 'web');
});

it('talks to them, leads to them and takes them elsewhere: send, watcher, exec, open, ui, export', async () => {
  const { proxy_url: url } = await host.get('web');
  assert.equal((await does(0, 'send', 'web', 'hello')).out, 'web: message sent\n');
  assert.equal(JSON.parse((await does(0, 'watcher', 'web', '-o', 'json')).out).state, 'Ready');
  assert.match((await does(1, 'watcher', 'web', 'vars')).err, /serves no \/watcher\/varState/);
  // A second server finds the port taken: an end and a stream of the command's own.
  assert.match((await does(1, 'exec', 'web', '--', '/server')).err, /^listen on 8080: /);
  assert.equal((await does(0, 'open', 'web')).out, `${url}\n`);
  assert.equal((await does(0, 'ui')).out, `${await host.child().url()}/\n`);
  assert.ok(parse((await does(0, 'export', '--to', 'compose', '-q', 'web')).out).services.web);
  assert.match((await does(0, 'export', '--to', 'kubernetes', '-q', 'web')).out, /^kind: Deployment$/m);
});

it('knows hosts by names, and completes', async () => {
  await does(0, 'context', 'set', 'here', '--server', await host.child().url());
  await does(0, 'context', 'use', 'here');
  assert.match((await does(0, 'context', 'list')).out, /here/);
  assert.equal((await hershctl.with({ HERSH_SERVER: undefined }).run('get')).code, 0);
  await does(0, 'context', 'delete', 'here');
  assert.match((await does(0, 'completion', 'bash')).out, /hershctl/);
  assert.match((await does(0, 'complete', '--', 'logs', 'we')).out, /^web(\t.*)?\nweb-2/m);
  await does(0, 'help', 'get');
});

it('ends with the documented code and clear words where it can not', async () => {
  await write('empty/file', '');
  await write('no.yaml', 'apiVersion: [\n');
  const cases: [code: number, words: RegExp, ...argv: string[]][] = [
    [4, /empty has no Dockerfile/, 'deploy', 'empty'],
    [1, /no\.yaml:\d+:\d+: .*\nNothing was done/, 'apply', '-f', 'no.yaml'],
    [2, /no\.yaml:\d+:\d+: /, 'diff', '-f', 'no.yaml'],
    [1, /^no\.yaml:\d+:\d+: /, 'validate', 'no.yaml'],
    [2, /2 programs begin with w:\n {2}web\n {2}web-2\nWrite more of the name/, 'restart', 'w'],
    [4, /there is no program "we"\nWith --yes/, 'delete', '--yes', 'we'],
    [4, /has no revision 99/, 'rollback', 'web', '--to', '99'],
    [5, /already started/, 'start', 'web'],
    [5, /is to run/, 'state', 'import', 'web', 'no.yaml'],
    [124, /in 1 s not Stopped: web/, 'wait', 'web', '--for=Stopped', '--timeout', '1s'],
    [1, /does not get Ready by itself: BuildFailed/, 'wait', 'broken', '--for=Ready'],
    [2, /unknown option/, 'get', '--nope'],
    [3, /no host answers at /, 'get', '--server', 'http://127.0.0.1:29358'],
    [3, /is no Hersh Host/, 'get', '--server', (await host.get('web')).proxy_url],
  ];
  await mapLimit(cases, AT_ONCE, async ([code, words, ...argv]) => {
    const { out, err } = await does(code, ...argv);
    assert.match(out + err, words, argv.join(' '));
  });
  const everywhere = ['get', 'describe', 'logs', 'build-log', 'events', 'history', 'top', 'stop', 'open'];
  await mapLimit(everywhere, AT_ONCE, async (command) =>
    assert.match((await does(4, command, 'nope')).err, /there is no program "nope"/, command),
  );
});

it('waits for a slow reader and loses nothing; one that goes away ends it quietly', async () => {
  // More than a pipe holds: a problem for each file, behind a long name.
  const files = Array.from({ length: 600 }, (_, at) => `many/${String(at).padStart(180, '0')}.yaml`);
  for (const file of files) await write(file, 'kind: [\n');
  const slow = hershctl.shell('hershctl validate many | { sleep 1; wc -l; }; echo "$PIPESTATUS"');
  assert.deepEqual((await slow.ended).out.trim().split(/\s+/), ['600', '1']);
  const short = hershctl.shell('hershctl validate many | head -1 >/dev/null; echo "$PIPESTATUS"');
  assert.deepEqual(await short.ended, { code: 0, out: '1\n', err: '' });
  // What follows notices it with the next line.
  const gone = hershctl.shell('hershctl get web -w -o json | head -1; echo "$PIPESTATUS"');
  await gone.shows(/"program_id":"web"/);
  await does(0, 'restart', 'web');
  const { out, err } = await gone.ended;
  const [first = '', code] = out.trim().split('\n');
  assertMatches('#/components/schemas/Program', first, 'get -w');
  assert.deepEqual([code, err], ['0', '']);
});

it('makes tokens in a file, lists them without what they are, and takes them away', async () => {
  const file = ['--file', join(dir, 'tokens.yaml')];
  const made = await does(0, 'token', 'create', '--name', 'ci', '--role', 'user', '--user', 'ann', ...file);
  const token = made.out.trim();
  const listed = (await does(0, 'token', 'list', ...file)).out;
  assert.match(listed, /\bci +user +ann\b/);
  assert.ok(!`${listed}${await readFile(join(dir, 'tokens.yaml'), 'utf8')}`.includes(token));
  await does(0, 'token', 'revoke', 'ci', ...file);
  assert.doesNotMatch((await does(0, 'token', 'list', ...file)).out, /ci/);
});

it('deletes them, and no command was left out', async () => {
  await does(0, 'delete', '--yes', 'web', 'web-2', 'broken');
  await does(0, 'wait', 'web', 'web-2', 'broken', '--for=Deleted', '--timeout', '5m');
  assert.match((await does(0, 'get')).err, /there are no programs/);
  const io = { stdout: { columns: 80 }, stderr: { columns: 80 } } as Io;
  const commands = createProgram(io, () => async () => undefined).commands.flatMap((one) =>
    one.commands.length === 0 ? [one.name()] : one.commands.map((below) => `${one.name()} ${below.name()}`),
  );
  assert.ok(commands.length > 30);
  assert.deepEqual(
    commands.filter((name) => !called.has(name)),
    [],
  );
});
