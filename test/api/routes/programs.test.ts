import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../schemas/errors.ts';
import { caller } from '../call.ts';
import { CREATED_AT, fakeView } from '../fake-view.ts';

const good = { user_id: 'my-user', dockerfile: 'FROM scratch\n', src_files: { 'main.go': 'package main' } };

test('POST /programs creates a program and starts nothing', async () => {
  const { host, call } = caller();
  const answer = await call('POST', '/programs', { json: good });
  assert.equal(answer.status, 201);
  const { program_id: id, ...rest } = answer.json;
  assert.match(String(id), /^my-user-build-[0-9a-f]{12}-[0-9a-f]{8}$/);
  assert.deepEqual(rest, {
    build_id: String(id).slice('my-user-'.length, -9),
    state: 'Created',
    proxy_url: 'http://localhost:19007',
    created_at: CREATED_AT,
  });
  assert.equal(answer.headers.get('Location'), `/programs/${id}`);
  assert.deepEqual(host.calls, [`reserve ${id}`, `create ${id} my-user Dockerfile,main.go`]);
});

test('the same body twice makes two programs of one build', async () => {
  const { call } = caller();
  const [one, two] = [
    await call('POST', '/programs', { json: good }),
    await call('POST', '/programs', { json: good }),
  ];
  assert.notEqual(one.json.program_id, two.json.program_id);
  assert.equal(one.json.build_id, two.json.build_id);
});

test('POST /programs takes a name, once', async () => {
  const { host, call } = caller([fakeView('there')]);
  const answer = await call('POST', '/programs', { json: { ...good, name: 'mine.1' } });
  assert.deepEqual([answer.status, answer.json.program_id], [201, 'mine.1']);
  assert.equal(answer.headers.get('Location'), '/programs/mine.1');
  assert.deepEqual(host.calls, ['reserve mine.1', 'create mine.1 my-user Dockerfile,main.go']);
  const again = await call('POST', '/programs', { json: { ...good, name: 'there' } });
  assert.deepEqual([again.status, again.json.message], [409, 'program there exists already']);
  assert.match(String(again.json.hint), /PUT \/programs\/there\/sources/);
  assert.equal(host.calls.length, 2);
  for (const name of [null, '']) {
    const unnamed = await call('POST', '/programs', { json: { ...good, name } });
    assert.match(String(unnamed.json.program_id), /^my-user-build-/);
  }
});

test('src_files may be absent, hold sub-folders, or the Dockerfile itself', async () => {
  const { host, call } = caller();
  for (const srcFiles of [undefined, null, {}, { 'a/b/c.txt': 'x' }, { Dockerfile: good.dockerfile }]) {
    const answer = await call('POST', '/programs', { json: { ...good, src_files: srcFiles } });
    assert.equal(answer.status, 201);
  }
  assert.match(host.calls[7] ?? '', /Dockerfile,a\/b\/c.txt$/);
});

const refusals: [why: string, body: unknown, message: string | RegExp][] = [
  ['no user', { dockerfile: 'x' }, 'user_id is required'],
  ['nothing at all', {}, 'user_id is required'],
  ['user empty', { ...good, user_id: '' }, 'user_id is required'],
  ['user null', { ...good, user_id: null }, 'user_id is required'],
  ['user a number', { ...good, user_id: 7 }, 'user_id must be a string'],
  ['user with a slash', { ...good, user_id: 'a/b' }, /^user_id must begin with/],
  ['user with a dash first', { ...good, user_id: '-a' }, /^user_id must begin with/],
  ['user too long', { ...good, user_id: 'a'.repeat(64) }, /^user_id must begin with/],
  ['user with a line end', { ...good, user_id: 'a\n' }, /^user_id must begin with/],
  ['name a number', { ...good, name: 7 }, 'name must be a string'],
  ['name that climbs', { ...good, name: '../a' }, /^name must begin with/],
  ['name too long', { ...good, name: 'a'.repeat(129) }, /^name must begin with/],
  ['no dockerfile', { user_id: 'u' }, 'dockerfile is required'],
  ['dockerfile empty', { ...good, dockerfile: '' }, 'dockerfile is required'],
  ['dockerfile a list', { ...good, dockerfile: ['FROM x'] }, /^dockerfile must be a string/],
  ['files a list', { ...good, src_files: ['a'] }, /^src_files must be an object/],
  ['files a string', { ...good, src_files: 'a' }, /^src_files must be an object/],
  [
    'a content that is no string',
    { ...good, src_files: { 'a.txt': 1 } },
    /^src_files\["a.txt"\] must be a string/,
  ],
  ['a name that climbs', { ...good, src_files: { '../a': '' } }, /"\.\.\/a" climbs/],
  ['an other Dockerfile', { ...good, src_files: { Dockerfile: 'FROM y' } }, /"Dockerfile" differs/],
  ['a list', [], 'the body must be a JSON object'],
  ['null', null, 'the body must be a JSON object'],
];

test('POST /programs refuses what it can not use, and makes nothing', async (t) => {
  for (const [why, json, message] of refusals) {
    await t.test(why, async () => {
      const { host, call } = caller();
      const answer = await call('POST', '/programs', { json });
      assert.equal(answer.status, 400);
      assert.equal(answer.json.error, 'Bad Request');
      if (typeof message === 'string') assert.equal(answer.json.message, message);
      else assert.match(String(answer.json.message), message);
      assert.deepEqual(host.calls, []);
    });
  }
});

test('the guide word for word: a missing dockerfile, and the capital D that causes it', async () => {
  const { call } = caller();
  const answer = await call('POST', '/programs', { json: { user_id: 'u', Dockerfile: 'FROM x' } });
  assert.equal(answer.json.error, 'Bad Request');
  assert.equal(answer.json.code, 400);
  assert.equal(answer.json.message, 'dockerfile is required');
  assert.match(String(answer.json.hint), /lower case/);
});

test('what was meant as src_files is not ignored; fields of the client are', async () => {
  const { call } = caller();
  const body = { user_id: 'u', dockerfile: 'FROM x' };
  for (const field of ['src_file', 'srcFiles', 'files', 'source_files']) {
    const answer = await call('POST', '/programs', { json: { ...body, [field]: { a: '1' } } });
    assert.equal(answer.status, 400, field);
    assert.equal(answer.json.message, `${field} is not a known field; did you mean src_files?`);
  }
  const own = { name: 'mine', user: 'u', note: 'n', Dockerfile: 'FROM x' };
  assert.equal((await call('POST', '/programs', { json: { ...body, ...own } })).status, 201);
  const both = { src_files: { a: '1' }, files: ['a'], src_file: 1 };
  assert.equal((await call('POST', '/programs', { json: { ...body, ...both } })).status, 201);
});

test('bodies: malformed, trailing, empty, not UTF-8, not JSON by name, too large', async () => {
  const { call } = caller([], { bodyBytesMax: 1000 });
  const json = { 'Content-Type': 'application/json' };
  const send = async (
    body: string | Uint8Array,
    headers: Record<string, string>,
  ): Promise<[number, string]> => {
    const answer = await call('POST', '/programs', { body, headers });
    return [answer.status, String(answer.json.message)];
  };
  assert.deepEqual(await send('{"user_id":', json), [400, 'the body is not valid JSON']);
  assert.deepEqual(await send('{} {}', json), [400, 'the body is not valid JSON']);
  assert.deepEqual(await send('', json), [400, 'the body is empty; a JSON object is expected']);
  assert.deepEqual(await send(Uint8Array.of(0x22, 0xff, 0x22), json), [400, 'the body is not valid UTF-8']);
  assert.equal((await send('{}', { 'Content-Type': 'text/plain' }))[0], 415);
  assert.equal((await send('a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }))[0], 415);
  assert.equal((await send('{}', { 'Content-Type': 'application/json; charset=latin1' }))[0], 415);
  assert.equal((await send('{}', { ...json, 'Content-Encoding': 'gzip' }))[0], 415);
  assert.deepEqual(await send('{}', { 'Content-Type': 'Application/JSON; charset="UTF-8"' }), [
    400,
    'user_id is required',
  ]);
  assert.deepEqual(await send(`"${'x'.repeat(1000)}"`, json), [
    413,
    'the body is over the limit of 1000 bytes',
  ]);
});

test('a program that could not be written gives its port back', async () => {
  const { host, call } = caller();
  host.failures.set('createFromSources', new AppError('RegistryUnavailable', 'the disk is full'));
  const answer = await call('POST', '/programs', { json: good });
  assert.equal(answer.status, 503);
  assert.equal(answer.json.message, 'the disk is full');
  assert.deepEqual(
    host.calls.map((call) => call.split(' ')[0]),
    ['reserve', 'unreserve'],
  );
  assert.equal((await call('GET', '/programs')).json.count, 0);
});

test('no port free is 503', async () => {
  const { host, call } = caller();
  host.failures.set(
    'reserve',
    new AppError('PortsExhausted', 'no port is free', { hint: 'delete a program' }),
  );
  const answer = await call('POST', '/programs', { json: good });
  assert.deepEqual(answer.json, {
    error: 'Service Unavailable',
    code: 503,
    message: 'no port is free',
    hint: 'delete a program',
  });
});

test('GET /programs/{id} gives every field of the contract', async () => {
  const { call } = caller([fakeView('p1')]);
  const answer = await call('GET', '/programs/p1');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, {
    program_id: 'p1',
    build_id: 'build-0123456789ab',
    user_id: 'my-user',
    state: 'Ready',
    image_id: 'sha256:11',
    container_id: 'c0ffee',
    error_msg: '',
    proxy_url: 'http://localhost:19005',
    created_at: CREATED_AT,
    updated_at: CREATED_AT,
    reason: '',
    restart_count: 0,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'ProbeSucceeded',
        message: '',
        last_transition_time: CREATED_AT,
      },
    ],
    revision: 1,
    ...{ wanted_revision: 1, commit: '', wanted_commit: '', restarts_last_hour: 0, next_try_at: '' },
    ...{
      started_at: CREATED_AT,
      ready_at: CREATED_AT,
      last_exit: null,
      not_ready: null,
      trouble: null,
      paused: null,
      runtime: 'runc',
      image: '',
    },
    limits: { memory_bytes: 268_435_456, cpus: 0.5, pids: 256 },
  });
});

test('GET /programs/{id} tells how it last ended, and why it is not ready while it runs', async () => {
  const lastExit = { exitCode: 137, oomKilled: true, signal: 'SIGKILL', run: 'c/1', logTail: 'last words' };
  const unready = {
    type: 'Ready',
    status: 'False',
    reason: 'ProbeFailed',
    message: 'connection refused',
  } as const;
  const conditions = [{ ...unready, lastTransitionTime: CREATED_AT }];
  const status = { conditions, lastExit: { ...lastExit, finishedAt: CREATED_AT } };
  const { host, call } = caller([fakeView('p1', { state: 'Running', status })]);
  const { json } = await call('GET', '/programs/p1');
  const words = { signal: 'SIGKILL', message: 'out of memory', log_tail: 'last words' };
  assert.deepEqual(json.last_exit, { code: 137, out_of_memory: true, finished_at: CREATED_AT, ...words });
  const notReady = { message: 'connection refused', since: CREATED_AT };
  assert.deepEqual(json.not_ready, { ...notReady, was_ready: true });
  host.put(fakeView('p1', { state: 'Running', status: { ...status, readyAt: '' } }));
  assert.deepEqual((await call('GET', '/programs/p1')).json.not_ready, { ...notReady, was_ready: false });
  host.put(fakeView('p1', { state: 'Stopped', status }));
  assert.equal((await call('GET', '/programs/p1')).json.not_ready, null);
});

test('GET shows a change at once, in the program and in the list', async () => {
  const { host, call } = caller([fakeView('p1', { state: 'Built' }), fakeView('p2')]);
  assert.equal((await call('GET', '/programs/p1')).json.state, 'Built');
  assert.equal((await call('GET', '/programs')).json.count, 2);
  host.put(fakeView('p1', { state: 'Running' }));
  assert.equal((await call('GET', '/programs/p1')).json.state, 'Running');
  const { programs } = (await call('GET', '/programs')).json as { programs: { state: string }[] };
  assert.deepEqual(
    programs.map((program) => program.state),
    ['Running', 'Ready'],
  );
});

test('GET /programs filters by user and state', async () => {
  const { call } = caller([
    fakeView('a', { userId: 'u1', state: 'Ready' }),
    fakeView('b', { userId: 'u1', state: 'Error' }),
    fakeView('c', { userId: 'u2', state: 'Ready' }),
  ]);
  const ids = async (query: string): Promise<string[]> => {
    const { json } = await call('GET', `/programs${query}`);
    const programs = json.programs as { program_id: string }[];
    assert.equal(json.count, programs.length);
    return programs.map((program) => program.program_id);
  };
  assert.deepEqual(await ids(''), ['a', 'b', 'c']);
  assert.deepEqual(await ids('?user_id=u1'), ['a', 'b']);
  assert.deepEqual(await ids('?state=Ready'), ['a', 'c']);
  assert.deepEqual(await ids('?user_id=u1&state=Ready'), ['a']);
  assert.deepEqual(await ids('?user_id=nobody'), []);
  assert.equal((await call('GET', '/programs?state=ready')).status, 400);
});

test('DELETE removes at once', async () => {
  const { host, call } = caller([fakeView('p1')]);
  const answer = await call('DELETE', '/programs/p1');
  assert.deepEqual([answer.status, answer.json], [200, { message: 'program deleted successfully' }]);
  assert.deepEqual(host.calls, ['remove p1']);
  assert.equal((await call('GET', '/programs/p1')).status, 404);
  assert.equal((await call('DELETE', '/programs/p1')).status, 404);
});

test('GET source', async () => {
  const { call } = caller([fakeView('p1')]);
  const { json } = await call('GET', '/programs/p1/source');
  assert.equal(json.program_id, 'p1');
  assert.deepEqual(json.files, { Dockerfile: 'FROM scratch\n', 'src/ä.txt': 'x' });
});

test('an id is decoded once, and one that can name nothing is 404 on every route', async () => {
  const { call } = caller([fakeView('pA'), fakeView('%41')]);
  assert.equal((await call('GET', '/programs/p%41')).json.program_id, 'pA');
  for (const id of ['p%2541', '%2541', '..%2fx', '%00', '%', '%zz', '.hidden', 'nobody', 'a'.repeat(129)]) {
    for (const [method, tail] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/start'],
      ['POST', '/stop'],
      ['POST', '/restart'],
      ['GET', '/logs'],
      ['GET', '/build-log'],
      ['GET', '/source'],
      ['GET', '/events'],
      ['GET', '/manifest'],
    ] as const) {
      const answer = await call(method, `/programs/${id}${tail}`);
      assert.equal(answer.status, 404, `${method} ${id}${tail}`);
      assert.equal(answer.json.error, 'Not Found');
    }
  }
});

test('PUT sources brings new files to a program; the same ones change nothing', async () => {
  const { host, call } = caller([fakeView('p1', { userId: 'ann' })]);
  const put = (json: unknown, name = 'p1') => call('PUT', `/programs/${name}/sources`, { json });
  const files = { dockerfile: 'FROM scratch\n', src_files: { 'a.txt': 'x' } };
  const { status, json } = await put(files);
  assert.equal(status, 200);
  assert.deepEqual([json.program_id, json.state, json.changed], ['p1', 'Ready', true]);
  assert.match(String(json.build_id), /^build-[0-9a-f]{12}$/);
  assert.deepEqual(host.calls, [`sources p1 ${json.build_id} Dockerfile,a.txt`]);
  const same = await put({ ...files, user_id: 'ann', src_files: { same: '' } });
  assert.deepEqual([same.json.changed, same.json.message], [false, 'nothing changed']);
  const refused: [unknown, number, RegExp][] = [
    [{ ...files, user_id: 'bob' }, 409, /belongs to ann, and user_id is bob/],
    [{ src_files: {} }, 400, /dockerfile is required/],
    [{ ...files, src_file: {}, src_files: undefined }, 400, /src_files/],
    [{ ...files, user_id: '' }, 400, /user_id/],
  ];
  for (const [body, code, words] of refused) {
    const answer = await put(body);
    assert.equal(answer.status, code, answer.text);
    assert.match(answer.text, words);
  }
  assert.equal((await put(files, 'nobody')).status, 404);
  host.failures.set('putSources', new AppError('Conflict', 'the manifest has to be valid'));
  assert.equal((await put(files)).status, 409);
});
