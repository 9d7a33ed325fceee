import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { createHost, type Host, manifestText, type Program } from './host.ts';
import { type RawRequest, rawRequest } from './raw-request.ts';
import { until, untilEqual } from './until.ts';

/** Every bad request over a real socket: refused in the right words, and nothing half made is left behind. */

const JSON_TYPE = { 'content-type': 'application/json' };
const DOCKERFILE = 'FROM hersh-test/server';

let host: Host;
let url = '';
let bystander: Program;
let filesBefore: string[] = [];
const world = () =>
  host.files('programs', 'status', 'sources', 'data/trash', 'data/builds', 'data/revisions');

before(async () => {
  host = await createHost('29650-29655');
  url = await (await host.start()).url();
  await host.writeManifest('bystander');
  bystander = await host.untilState('bystander', 'Ready');
  filesBefore = await world();
});

after(() => host?.close());

// After each: the files are the same, the list is the same, the one program did not notice.
afterEach(async () => {
  await untilEqual(world, filesBefore);
  const { json } = await host.call('GET', '/programs');
  assert.deepEqual(json.programs, [bystander]);
  assert.equal((await host.containers()).length, 1);
});

/** Refused, with the uniform body. Gives the message. */
async function refused(asked: RawRequest, status: number): Promise<string> {
  const answer = await rawRequest(url, asked);
  assert.equal(answer.status, status, answer.text);
  const body = JSON.parse(answer.text);
  assert.equal(body.code, status);
  assert.equal(typeof body.error, 'string');
  assert.ok(body.message.length > 0);
  assert.match(String(answer.headers['content-type']), /^application\/json/);
  return body.message;
}

const post = (body: string): RawRequest => ({ method: 'POST', path: '/programs', headers: JSON_TYPE, body });
const create = (fields: object): RawRequest =>
  post(JSON.stringify({ user_id: 'u', dockerfile: DOCKERFILE, ...fields }));

describe('POST /programs', { concurrency: false }, () => {
  const bodies: Record<string, [body: string, wanted: RegExp]> = {
    'no body': ['', /empty/],
    'not JSON': ['{', /not valid JSON/],
    'trailing JSON': [`${JSON.stringify({ user_id: 'u', dockerfile: DOCKERFILE })}{}`, /not valid JSON/],
    'an array': ['[]', /must be a JSON object/],
    null: ['null', /must be a JSON object/],
    'no user_id': [JSON.stringify({ dockerfile: DOCKERFILE }), /^user_id is required$/],
    'an empty user_id': [JSON.stringify({ user_id: '', dockerfile: DOCKERFILE }), /^user_id is required$/],
    'a numeric user_id': [
      JSON.stringify({ user_id: 7, dockerfile: DOCKERFILE }),
      /^user_id must be a string/,
    ],
    'no dockerfile': [JSON.stringify({ user_id: 'u', src_files: {} }), /^dockerfile is required$/],
    'an empty dockerfile': [JSON.stringify({ user_id: 'u', dockerfile: '' }), /^dockerfile is required$/],
    'a dockerfile that is an object': [
      JSON.stringify({ user_id: 'u', dockerfile: {} }),
      /^dockerfile must be a string/,
    ],
    'src_files that are a list': [
      JSON.stringify({ user_id: 'u', dockerfile: DOCKERFILE, src_files: [] }),
      /^src_files must be/,
    ],
    'a file that is a number': [
      JSON.stringify({ user_id: 'u', dockerfile: DOCKERFILE, src_files: { a: 1 } }),
      /src_files.*must be a string/,
    ],
  };
  for (const [what, [body, wanted]] of Object.entries(bodies)) {
    it(`refuses ${what}`, async () => assert.match(await refused(post(body), 400), wanted));
  }

  for (const user of ['-u', '.u', '_u', 'a b', 'ü', 'a/b', '../u', 'u'.repeat(64), 'u\n', 'u\u0000']) {
    it(`refuses the user ${JSON.stringify(user).slice(0, 20)}`, async () => {
      assert.match(await refused(create({ user_id: user }), 400), /^user_id must begin with/);
    });
  }

  const names = [
    ...['', '/etc/passwd', '../up', 'a/../../up', 'a/./b', 'a//b', 'a/', './a', 'a\\b', 'a\u0000b', 'a\nb'],
    ...['e\u0301.txt', '.git/config', 'x'.repeat(256), '\ud800'],
  ];
  for (const name of names) {
    it(`refuses the file name ${JSON.stringify(name).slice(0, 24)}`, async () => {
      assert.match(await refused(create({ src_files: { ok: '1', [name]: '2' } }), 400), /bad file name/);
    });
  }

  const collisions: Record<string, Record<string, string>> = {
    'names that differ by case': { 'Main.go': '1', 'main.go': '2' },
    'folders that differ by case': { 'Lib/a': '1', 'lib/b': '2' },
    'a file that is a folder too': { a: '1', 'a/b': '2' },
    'another Dockerfile': { Dockerfile: 'FROM scratch' },
    'a Dockerfile by case': { dockerfile: DOCKERFILE },
  };
  for (const [what, files] of Object.entries(collisions)) {
    it(`refuses ${what}`, async () =>
      assert.match(await refused(create({ src_files: files }), 400), /bad file name/));
  }

  it('refuses a body over the limit as soon as that is known, by its length or while it streams', async () => {
    const announced = { ...JSON_TYPE, 'content-length': String(33 * 1024 * 1024) };
    const byLength = {
      method: 'POST',
      path: '/programs',
      headers: announced,
      endless: Buffer.alloc(65_536, ' '),
    };
    assert.match(await refused(byLength, 413), /over the limit of 32 MiB/);
    const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };
    const streamed = {
      method: 'POST',
      path: '/programs',
      headers: chunked,
      endless: Buffer.alloc(65_536, ' '),
    };
    assert.match(await refused(streamed, 413), /over the limit of 32 MiB/);
  });

  it('refuses other types, other hosts, other origins and other sites', async () => {
    const body = JSON.stringify({ user_id: 'u', dockerfile: DOCKERFILE });
    const send = (headers: Record<string, string>) => ({ method: 'POST', path: '/programs', headers, body });
    await refused(send({}), 415);
    await refused(send({ 'content-type': 'text/plain' }), 415);
    await refused(send({ 'content-type': 'application/x-www-form-urlencoded' }), 415);
    await refused(send({ ...JSON_TYPE, host: 'evil.example' }), 403);
    await refused(send({ ...JSON_TYPE, origin: 'http://evil.example' }), 403);
    await refused(send({ ...JSON_TYPE, origin: 'null' }), 403);
    await refused(send({ ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }), 403);
  });

  it('leaves nothing of a client that goes away half way', async () => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const head = `POST /programs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n`;
    await new Promise<void>((resolve) =>
      socket.write(`${head}{"user_id": "u", "dockerfile": "FROM`, () => resolve()),
    );
    socket.destroy();
    await until('the host answers on', async () => (await host.call('GET', '/healthz')).status === 200);
  });
});

describe('everything else', { concurrency: false }, () => {
  it('answers unknown routes, methods and programs with the uniform body', async () => {
    for (const path of [
      '/',
      '/nothing',
      '/programs//',
      '/programs/none',
      '/programs/none/logs',
      '/programs/a%2Fb',
    ]) {
      await refused({ method: 'GET', path }, 404);
    }
    for (const path of ['/programs/none/start', '/programs/none/stop', '/programs/none/restart']) {
      await refused({ method: 'POST', path }, 404);
    }
    await refused({ method: 'DELETE', path: '/programs/none' }, 404);
    await refused({ method: 'PATCH', path: '/programs' }, 405);
    await refused({ method: 'GET', path: '/programs/none/proxy/x' }, 404);
    await refused({ method: 'GET', path: '/programs?state=Sleeping' }, 400);
    for (const query of ['tail=x', 'tail=-1', 'since=yesterday', 'follow=perhaps', 'tial=5']) {
      await refused({ method: 'GET', path: `/programs/bystander/logs?${query}` }, 400);
    }
  });

  it('reaches no file and no port but the program’s own, whatever the path looks like', async () => {
    for (const name of ['..', '%2e%2e', '..%2f..%2fetc%2fpasswd', 'bystander%00', '.', '%ff']) {
      for (const rest of ['', '/manifest', '/source', '/events', '/build-log']) {
        const path = `/programs/${name}${rest}`;
        // By RFC 3986 that is `/programs/`, the list, and that `/events`, of all programs.
        if (['/programs/', '/events'].includes(new URL(path, url).pathname)) continue;
        const answer = await rawRequest(url, { method: 'GET', path });
        assert.ok(
          [400, 404].includes(answer.status),
          `${name}${rest}: ${answer.status} ${answer.text.slice(0, 200)}`,
        );
      }
    }
    for (const path of [
      '//127.0.0.1:1/x',
      '/../../x',
      '/%2e%2e/%2e%2e/x',
      '/http://127.0.0.1:1/',
      '@127.0.0.1:1/',
    ]) {
      const answer = await rawRequest(url, { method: 'GET', path: `/programs/bystander/proxy${path}` });
      assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
    }
  });

  const yaml = { 'content-type': 'application/yaml' };
  const put = (name: string, body: string, headers: Record<string, string> = yaml): RawRequest => ({
    ...{ method: 'PUT', path: `/programs/${name}/manifest`, headers, body },
  });

  it('PUT manifest: names file, line and column; refuses another name, a bad one, a stale or missing ETag', async () => {
    const bad = manifestText('made', { publishPort: 'x' });
    assert.match(
      await refused(put('made', bad), 400),
      /^programs\/made\.yaml:4:\d+: spec\.publishPort must be an integer/,
    );
    assert.match(await refused(put('made', 'kind: ['), 400), /^programs\/made\.yaml:\d+:\d+: /);
    assert.match(await refused(put('made', ''), 400), /^programs\/made\.yaml:1:1: the file is empty/);
    await refused(put('made', manifestText('other')), 409);
    await refused(put('-made', manifestText('-made')), 400);
    await refused(put('..%2fmade', manifestText('made')), 400);
    await refused(put('made', manifestText('made'), { 'content-type': 'text/plain' }), 415);
    await refused(put('made', manifestText('made'), { ...yaml, 'if-match': '"none"' }), 412);
    await refused(put('bystander', manifestText('bystander')), 412);
    await refused(put('bystander', manifestText('bystander'), { ...yaml, 'if-match': '"stale"' }), 412);
    await refused(put('Bystander', manifestText('Bystander')), 409);
    const dry = await rawRequest(url, {
      ...put('made', manifestText('made')),
      path: '/programs/made/manifest?dry_run=true',
    });
    assert.equal(dry.status, 200);
  });

  it('answers bytes that are no HTTP, and headers that never end, without falling over', async () => {
    const { hostname, port } = new URL(url);
    const say = (text: string) =>
      new Promise<string>((resolve) => {
        let answer = '';
        const socket = connect(Number(port), hostname, () => socket.write(text));
        socket.on('data', (chunk) => {
          answer += chunk.toString();
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(answer));
      });
    assert.match(await say('\u0016\u0003\u0001\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(
      await say('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1\.1 (400|403) /,
    );
    assert.match(
      await say(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    );
    assert.equal((await host.call('GET', '/healthz')).status, 200);
  });

  it('gave no port away: all but the bystander’s can still be had', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n++) {
      const { status, json } = await host.call('POST', '/programs', {
        user_id: 'U.x_1-',
        dockerfile: DOCKERFILE,
      });
      assert.equal(status, 201, JSON.stringify(json));
      made.push(json.program_id);
    }
    for (const id of made) await host.call('DELETE', `/programs/${id}`);
    for (const id of made) await host.untilGone(id);
    filesBefore = await world();
  });
});
