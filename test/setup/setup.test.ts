import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { findCommand, runCommand } from './command.ts';
import { exampleFiles, withDefaults } from './example-files.ts';
import { registerGvisor } from './gvisor.ts';
import { whoAnswers } from './host-process.ts';
import { ROOT } from './host-settings.ts';
import { createPatience } from './patience.ts';

const prepare = join(ROOT, 'test', 'setup', 'prepare.mjs');
const folder = mkdtempSync(join(tmpdir(), 'hersh-setup-test-'));
after(() => rmSync(folder, { recursive: true }));

describe('prepare.mjs', () => {
  const fails = async (...args: string[]) => {
    const error = await promisify(execFile)(process.execPath, [prepare, ...args]).then(
      () => assert.fail('it did not fail'),
      (caught: { code: number; stderr: string }) => caught,
    );
    return error;
  };

  test('refuses an unknown target with its usage', async () => {
    const { code, stderr } = await fails('toString');
    assert.equal(code, 1);
    assert.match(stderr, /^usage: .*quickstart\|test/);
  });

  test('passes the exit code and the words of what it runs', async () => {
    const { code, stderr } = await fails('quickstart', '--nonsense');
    assert.equal(code, 1);
    assert.match(stderr, /Unknown arguments: --nonsense/);
  });

  test('fails when no test file matches', async () => {
    const { code, stderr } = await fails('test', 'there-is-no-such-test');
    assert.equal(code, 1);
    assert.match(stderr, /No test file matches/);
  });

  test('hands its arguments on', async () => {
    const child = spawn(process.execPath, [prepare, 'quickstart', '--help'], { stdio: 'pipe' });
    let out = '';
    child.stdout.on('data', (piece) => {
      out += piece;
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 0);
    assert.match(out, /--down/);
  });
});

describe('gVisor in the engine configuration', { skip: !findCommand('runsc') }, () => {
  const file = join(folder, 'daemon.json');

  test('is added, and all else is kept', () => {
    writeFileSync(file, '{"debug":true,"runtimes":{"other":{"path":"/x"}}}');
    registerGvisor(() => {}, file);
    const config = JSON.parse(readFileSync(file, 'utf8'));
    assert.equal(config.debug, true);
    assert.deepEqual(config.runtimes.other, { path: '/x' });
    assert.deepEqual(config.runtimes.runsc.runtimeArgs, ['--network=host']);
  });

  test('is left as people set it', () => {
    const text = '{"runtimes":{"runsc":{"path":"/mine"}}}';
    writeFileSync(file, text);
    registerGvisor(() => {}, file);
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  test('a damaged file is reported and not touched', () => {
    writeFileSync(file, '{ // mine');
    const said: string[] = [];
    registerGvisor((line) => said.push(line), file);
    assert.equal(readFileSync(file, 'utf8'), '{ // mine');
    assert.match(said.join(), /not readable as JSON/);
  });
});

describe('example files', () => {
  test('are the sources alone', () => {
    const { src_files: sources } = exampleFiles('static-site');
    assert.deepEqual(Object.keys(sources).sort(), [
      'serve.mjs',
      'site/index.html',
      'site/mark.svg',
      'site/style.css',
    ]);
    assert.throws(() => exampleFiles('../examples/counter'), /There is no example/);
  });

  test('defaults replace only the arguments that are named', () => {
    const dockerfile = 'ARG A=a:1\nARG B=b:1\nFROM $A\n';
    assert.equal(withDefaults(dockerfile, { A: 'own/a:1' }), 'ARG A=own/a:1\nARG B=b:1\nFROM $A\n');
  });
});

describe('who answers on the port', () => {
  let answer: [number, string] = [200, 'text/html'];
  const server = createServer((_, response) => {
    response.writeHead(answer[0], { 'content-type': answer[1] }).end('{}');
  });
  const settings = () => {
    const { port } = server.address() as AddressInfo;
    return { port, url: `http://127.0.0.1:${port}`, registry: folder, instance: 'test' };
  };
  before(() => once(server.listen(0, '127.0.0.1'), 'listening'));

  test('a web server is a stranger', async () => {
    assert.equal(await whoAnswers(settings()), 'stranger');
  });

  test('a host is another one when nobody holds our registry', async () => {
    answer = [200, 'application/json'];
    assert.equal(await whoAnswers(settings()), 'other-host');
  });

  test('nobody', async () => {
    const free = settings();
    server.close();
    server.closeAllConnections();
    assert.equal(await whoAnswers(free), 'nobody');
  });
});

test('a command that is not there is a result, not an error', async () => {
  const { code } = await runCommand(['there-is-no-such-command']);
  assert.equal(code, 127);
});

test('patience lasts as long as there are signs of life, and a while without one', () => {
  let [sign, now] = [0, 0];
  const patience = createPatience(
    () => sign,
    () => now,
    10,
  );
  for (; now < 1_000; now += 10) {
    assert.ok(patience.lasts());
    sign += 1;
  }
  assert.ok(patience.lasts());
  now += 10;
  assert.ok(patience.lasts());
  now += 1;
  assert.ok(!patience.lasts());
});
