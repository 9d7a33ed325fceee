import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { fakeView } from '../fake-view.ts';
import { assertMatches } from '../openapi.ts';
import { ask, proxied, rawConnection, serve } from '../socket.ts';
import { until } from '../until.ts';

const BASE = '/programs/p1/proxy';
const GET = `GET ${BASE}/ HTTP/1.1\r\nHost: localhost\r\n\r\n`;

test('each chunk of an answer passes at once', async (t) => {
  const answers: ServerResponse[] = [];
  const { api } = await proxied(t, (_req, res) => {
    answers.push(res);
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.flushHeaders();
  });
  const { socket, text } = await rawConnection(t, api.port);
  socket.write(GET);
  await until(() => text().includes('text/event-stream'));
  for (const chunk of ['data: one\n\n', 'data: two\n\n']) {
    answers[0]?.write(chunk);
    await until(() => text().includes(chunk));
  }
});

test('each chunk of a request passes at once, and the answer may begin before its end', async (t) => {
  let received = '';
  const { api } = await proxied(t, (req, res) => {
    res.write('early');
    req.on('data', (chunk) => {
      received += chunk;
    });
    req.on('end', () => res.end('late'));
  });
  const { socket, text } = await rawConnection(t, api.port);
  socket.write(`POST ${BASE}/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`);
  socket.write('3\r\none\r\n');
  await until(() => received === 'one' && text().includes('early'));
  socket.write('3\r\ntwo\r\n');
  await until(() => received === 'onetwo');
  socket.write('0\r\n\r\n');
  await until(() => text().includes('late'));
});

test('a client that does not read holds the program back', async (t) => {
  let written = 0;
  let stalled = false;
  const { api } = await proxied(t, (_req, res) => {
    const chunk = Buffer.alloc(256 * 1024);
    const pump = (): void => {
      while (written < 400 * 1024 * 1024) {
        written += chunk.length;
        if (!res.write(chunk)) {
          stalled = true;
          res.once('drain', () => {
            stalled = false;
            pump();
          });
          return;
        }
      }
      res.end();
    };
    pump();
  });
  const { socket } = await rawConnection(t, api.port);
  socket.pause();
  socket.write(GET);
  await stable(
    () => written,
    () => stalled,
  );
  assert.ok(written < 100 * 1024 * 1024, `${written} bytes were taken from the program`);
});

test('a program that does not read holds the client back', async (t) => {
  const { api } = await proxied(t, (req) => void req.pause());
  const { socket } = await rawConnection(t, api.port);
  socket.write(`POST ${BASE}/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${400 * 1024 * 1024}\r\n\r\n`);
  const chunk = Buffer.alloc(256 * 1024);
  let written = 0;
  let stalled = false;
  const pump = (): void => {
    while (written < 400 * 1024 * 1024) {
      written += chunk.length;
      if (!socket.write(chunk)) {
        stalled = true;
        socket.once('drain', () => {
          stalled = false;
          pump();
        });
        return;
      }
    }
  };
  pump();
  await stable(
    () => written,
    () => stalled,
  );
  assert.ok(written < 100 * 1024 * 1024, `${written} bytes were taken from the client`);
});

/** Resolves when the value has stood still over many turns of the event loop while `held`. */
async function stable(value: () => number, held: () => boolean): Promise<void> {
  let last = -1;
  let turns = 0;
  await until(() => {
    turns = held() && value() === last ? turns + 1 : 0;
    last = value();
    return turns > 8_000;
  }, 5_000);
}

test('a client that goes away destroys the request to the program', async (t) => {
  const gone: string[] = [];
  const { api, program } = await proxied(t, (req, res) => {
    res.on('close', () => gone.push(req.url ?? ''));
    if (req.url === '/midway') res.write('x');
    req.resume();
  });
  for (const path of ['/before', '/midway', '/upload']) {
    const { socket, text } = await rawConnection(t, api.port);
    const length = path === '/upload' ? 'Content-Length: 1000\r\n' : '';
    socket.write(
      `POST ${BASE}${path} HTTP/1.1\r\nHost: localhost\r\n${length}\r\nabc`.slice(0, length ? undefined : -3),
    );
    await until(() => program.seen.some((req) => req.url === path) && (path !== '/midway' || text() !== ''));
    socket.destroy();
    await until(() => gone.includes(path));
  }
});

test('a program that breaks off midway breaks off the answer', async (t) => {
  const { api } = await proxied(t, (req, res) => {
    if (req.url === '/length') res.writeHead(200, { 'Content-Length': 100 });
    res.write('begin', () => setImmediate(() => res.destroy()));
  });
  for (const path of ['/length', '/chunked']) {
    await assert.rejects(ask(api.port, `${BASE}${path}`), { code: 'ECONNRESET' }, path);
  }
});

test('a program that answers before it has read the body is heard', async (t) => {
  const { api } = await proxied(t, (_req, res) => {
    res.writeHead(413).end('too much');
  });
  const answer = await ask(api.port, `${BASE}/`, { method: 'POST', body: Buffer.alloc(8_000_000) });
  assert.deepEqual([answer.status, answer.text], [413, 'too much']);
});

test('nothing listens, connections closed without a word, and nonsense are 502', async (t) => {
  for (const reply of ['', 'nonsense\r\n\r\n', 'HTTP/1.1 200 OK\r\nX-Long: ']) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(reply));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const api = await serve(t, [fakeView('p1', { port: (server.address() as AddressInfo).port })]);
    for (const init of [{}, { method: 'POST', body: 'x' }]) {
      const answer = await ask(api.port, `${BASE}/`, init);
      assert.equal(answer.status, 502, reply);
      assertMatches('#/components/schemas/Error', answer.text, reply);
    }
  }
  const api = await serve(t, [fakeView('p1', { port: 1 })]);
  const answer = await ask(api.port, `${BASE}/`);
  assert.equal(answer.status, 502);
  assert.match(answer.text, /nothing listens on its port/);
});

test('a connection the program closed while it lay idle is not a 502', async (t) => {
  const { api, program } = await proxied(t, (_req, res) => res.end('ok'));
  for (let i = 0; i < 5; i++) {
    assert.equal((await ask(api.port, `${BASE}/`)).status, 200);
    program.server.closeIdleConnections();
  }
});

test('no first byte in time is 504, and the request is destroyed; once bytes flow there is no limit', async (t) => {
  const firstByteMsMax = 60;
  let silentClosed = false;
  const flowing: ServerResponse[] = [];
  const listener = (req: IncomingMessage, res: ServerResponse): void => {
    if (req.url === '/silent') {
      res.on('close', () => {
        silentClosed = true;
      });
      return;
    }
    res.write('first');
    flowing.push(res);
  };
  const { api } = await proxied(t, listener, { firstByteMsMax });
  const slow = await rawConnection(t, api.port);
  slow.socket.write(GET);
  await until(() => slow.text().includes('first'));
  const answer = await ask(api.port, `${BASE}/silent`);
  assert.equal(answer.status, 504);
  assertMatches('#/components/schemas/Error', answer.text, '504');
  await until(() => silentClosed);
  flowing[0]?.end('last');
  await until(() => slow.text().includes('last'));
});

test('many at once over few programs', async (t) => {
  const { api } = await proxied(t, (req, res) => void req.pipe(res));
  const answers = await Promise.all(
    Array.from({ length: 80 }, (_, i) =>
      ask(api.port, `${BASE}/${i}`, { method: 'POST', body: `body ${i}` }),
    ),
  );
  assert.ok(answers.every((answer, i) => answer.status === 200 && answer.text === `body ${i}`));
});

test('requests pipelined on one connection are answered in order', async (t) => {
  const held = new Map<string, ServerResponse>();
  const { api } = await proxied(t, (req, res) => void held.set(req.url ?? '', res));
  const { socket, text } = await rawConnection(t, api.port);
  for (const name of ['a', 'b']) socket.write(`GET ${BASE}/${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await until(() => held.size === 2);
  held.get('/b')?.end('answer-b');
  held.get('/a')?.end('answer-a');
  await until(() => text().includes('answer-b'));
  assert.ok(text().indexOf('answer-a') < text().indexOf('answer-b'));
});

test('keep-alive clients reuse their connection', async (t) => {
  const { api } = await proxied(t, (_req, res) => res.end('x'));
  const { Agent } = await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ports = new Set<number>();
  for (let i = 0; i < 3; i++) {
    const req = request({ agent, host: '127.0.0.1', port: api.port, path: `${BASE}/` });
    req.end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    ports.add(res.socket.localPort ?? 0);
    res.resume();
    await once(res, 'end');
  }
  assert.equal(ports.size, 1);
});
