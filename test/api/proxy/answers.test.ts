import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { ask, rawAsk, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';

const BASE = '/programs/p1/proxy';
const CLOSE = 'Host: localhost\r\nConnection: close\r\n\r\n';

interface RawProgram {
  api: number;
  connections: Socket[];
}

/** A program that says these bytes to each request of a connection, by its count there. */
async function saying(
  t: TestContext,
  say: (request: string, count: number, socket: Socket) => string | undefined,
): Promise<RawProgram> {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    let count = 0;
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const request = text;
      text = '';
      const answer = say(request, count++, socket);
      if (answer !== undefined) socket.write(answer, 'latin1');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  const api = await serve(t, [fakeView('p1', { port: (server.address() as AddressInfo).port })]);
  return { api: api.port, connections };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('an answer that can have no body has none, whatever length or body the program sends', async (t) => {
  const bodies = ['\r\n', 'Content-Length: 0\r\n\r\n', 'Content-Length: 5\r\n\r\nhello', '\r\nhello'];
  bodies.push('Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', 'Content-Length: 5\r\n\r\n');
  for (const status of [204, 205, 304]) {
    for (const rest of bodies) {
      for (const method of ['GET', 'POST']) {
        const { api, connections } = await saying(t, (request) =>
          request.includes('/none') ? `HTTP/1.1 ${status} Nothing\r\nETag: "x"\r\n${rest}` : OK,
        );
        const what = `${method} ${status} ${JSON.stringify(rest)}`;
        const first = `${method} ${BASE}/none HTTP/1.1\r\nHost: localhost\r\n\r\n`;
        const { socket, text, ended } = await rawConnection(t, api);
        socket.write(first);
        await until(() => text().includes('\r\n\r\n'));
        assert.match(text(), new RegExp(`^HTTP/1\\.1 ${status} Nothing\r\nETag: "x"\r\n`), what);
        assert.match(text(), /\r\n\r\n$/, what);
        assert.doesNotMatch(text(), /hello|transfer-encoding/i, what);
        const length = /content-length: (\d+)/i.exec(text())?.[1];
        const claimed = rest.includes('5\r\n\r\n') && status === 304 ? '5' : undefined;
        if (status === 205) assert.equal(length, '0', what);
        else if (status === 204 || claimed !== undefined) assert.equal(length, claimed, what);
        // Where the program announced a body, both connections end: nobody takes what is left for another answer.
        if (/Content-Length: 5|chunked/.test(rest)) {
          await ended;
          await until(() => connections[0]?.destroyed === true);
        }
        const next = await ask(api, `${BASE}/next`);
        assert.deepEqual([next.status, next.text], [200, 'ok'], what);
      }
    }
  }
});

test('a HEAD has the length of a GET and no body, and the next answer is its own', async (t) => {
  const { api } = await saying(t, (request) =>
    request.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' : OK,
  );
  const raw = await rawAsk(
    t,
    api,
    `HEAD ${BASE}/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET ${BASE}/ HTTP/1.1\r\n${CLOSE}`,
  );
  assert.match(
    raw,
    /^HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n[^h]*\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*\r\n\r\nok$/,
  );
});

test('100 Continue unasked, and any other interim answer, is read over', async (t) => {
  const { api } = await saying(
    t,
    () => `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`,
  );
  for (const init of [{}, { method: 'POST', body: 'x' }, { method: 'HEAD' }]) {
    const answer = await ask(api, `${BASE}/`, init);
    assert.deepEqual([answer.status, answer.text], [200, init.method === 'HEAD' ? '' : 'ok']);
  }
});

test('protocols that are switched unasked are 502', async (t) => {
  const { api } = await saying(
    t,
    () => 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  );
  for (const method of ['GET', 'POST']) assert.equal((await ask(api, `${BASE}/`, { method })).status, 502);
});

test('a program that closes each connection behind its first answer, unsaid, fails nobody', async (t) => {
  const { api } = await saying(t, (_request, count, socket) => {
    if (count === 0) return OK;
    // As one whose keep-alive has run out: what was on its way then is not read.
    socket.destroy();
    return undefined;
  });
  for (let i = 0; i < 20; i++) {
    for (const method of ['POST', 'GET', 'DELETE']) {
      assert.equal((await ask(api, `${BASE}/${i}`, { method, body: '' })).status, 200, `${method} ${i}`);
    }
  }
});

test('what may not be sent twice is sent once', async (t) => {
  const seen: string[] = [];
  const { api } = await saying(t, (request, _count, socket) => {
    seen.push(request.split(' ')[0] ?? '');
    socket.destroy();
    return undefined;
  });
  const headers = { 'Content-Length': '1' };
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    assert.equal((await ask(api, `${BASE}/`, { method, body: 'x', headers })).status, 502);
  }
  assert.deepEqual(seen, ['POST', 'PUT', 'PATCH', 'DELETE']);
});

test('headers go out when they come, before a body that has a length', async (t) => {
  const { api, connections } = await saying(
    t,
    () => 'HTTP/1.1 200 Caf\u00e9 ist gut\r\nContent-Length: 4\r\n\r\n',
  );
  for (const method of ['GET', 'POST']) {
    const { socket, text } = await rawConnection(t, api);
    socket.write(`${method} ${BASE}/ HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => text().includes('Content-Length: 4'));
    connections.at(-1)?.write('body');
    await until(() => text().endsWith('\r\n\r\nbody'));
  }
});

test('every byte arrives as it was, of an answer in one piece and of one in many', async (t) => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1');
  for (const body of [all, all.repeat(80)]) {
    const { api } = await saying(t, () => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const raw = await rawAsk(t, api, `GET ${BASE}/ HTTP/1.1\r\n${CLOSE}`);
    assert.ok(raw.slice(raw.indexOf('\r\n\r\n') + 4) === body, `${body.length} bytes`);
  }
  const chunks = `100\r\n${all}\r\n0\r\n\r\n`;
  const { api } = await saying(t, () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
  const raw = await rawAsk(t, api, `GET ${BASE}/ HTTP/1.1\r\n${CLOSE}`);
  assert.ok(raw.endsWith(`\r\n\r\n${chunks}`));
});

test('the reason phrase comes as the program says it', async (t) => {
  for (const [said, want] of [
    ['200 Fine With Me', '200 Fine With Me'],
    ['404 Gibt\u00c3\u00bcs nicht', '404 Gibt\u00c3\u00bcs nicht'],
    ['299', '299 unknown'],
  ] as const) {
    const { api } = await saying(t, () => `HTTP/1.1 ${said}\r\nContent-Length: 0\r\n\r\n`);
    for (const method of ['GET', 'POST']) {
      const raw = await rawAsk(t, api, `${method} ${BASE}/ HTTP/1.1\r\n${CLOSE}`);
      assert.equal(raw.slice(0, raw.indexOf('\r\n')), `HTTP/1.1 ${want}`, method);
    }
  }
});

test('trailers come behind a chunked body, none of them framing; with a length there are none', async (t) => {
  const { api } = await saying(
    t,
    () =>
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nContent-Type: a/b\r\nSet-Cookie: a=b\r\n\r\n',
  );
  for (const method of ['GET', 'POST']) {
    const raw = await rawAsk(t, api, `${method} ${BASE}/ HTTP/1.1\r\n${CLOSE}`);
    assert.match(raw, /\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n$/, method);
    assert.doesNotMatch(await rawAsk(t, api, `${method} ${BASE}/ HTTP/1.0\r\n${CLOSE}`), /X-Sum/);
  }
});

test("a request's trailers reach the program", async (t) => {
  const seen: string[] = [];
  const { api } = await saying(t, (request) => {
    seen.push(request);
    return request.includes('\r\n\r\n') ? OK : undefined;
  });
  const body = '2\r\nhi\r\n0\r\nX-Sum: 2\r\nHost: evil\r\n\r\n';
  await rawAsk(t, api, `POST ${BASE}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${CLOSE}${body}`);
  await until(() => seen.join('').includes('0\r\nX-Sum: 2\r\n\r\n'));
  assert.doesNotMatch(seen.join(''), /evil/);
});

test('transfer codings other than chunked are refused in words, both ways', async (t) => {
  const { api } = await saying(
    t,
    () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  );
  for (const method of ['GET', 'POST']) {
    const answer = await ask(api, `${BASE}/`, { method });
    assert.equal(answer.status, 502);
    assert.match(answer.text, /transfer coding gzip, chunked/);
  }
  for (const path of [`${BASE}/`, '/programs/p1/restart']) {
    const raw = await rawAsk(
      t,
      api,
      `POST ${path} HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n${CLOSE}0\r\n\r\n`,
    );
    assert.match(raw, /^HTTP\/1\.1 501 /, path);
    assert.match(raw, /Content-Encoding/);
  }
});
