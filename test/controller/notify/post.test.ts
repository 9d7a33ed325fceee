import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { NotTaken, post } from '../../../controller/notify/post.ts';

async function listen(t: TestContext, answer: RequestListener): Promise<URL> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://me:pass%20word@127.0.0.1:${(server.address() as AddressInfo).port}/a/b?c=d`);
}

const letter = { headers: { 'X-Test': '1' }, body: 'ä' };
const never = () => new AbortController().signal;

describe('posting to a receiver', () => {
  it('sends headers, body and the sign-in of the address', async (t) => {
    const seen: unknown[] = [];
    const url = await listen(t, (req, res) => {
      const { authorization, 'x-test': own, 'content-length': length } = req.headers;
      seen.push(
        req.method,
        req.url,
        own,
        length,
        Buffer.from((authorization ?? '').slice(6), 'base64').toString(),
      );
      req.setEncoding('utf8').on('data', (text) => seen.push(text));
      req.on('end', () => res.writeHead(204).end());
    });
    await post(url, letter, never());
    assert.deepEqual(seen, ['POST', '/a/b?c=d', '1', '2', 'me:pass word', 'ä']);
  });

  it('follows no redirect, and takes nothing but 2xx for taken', async (t) => {
    const paths: string[] = [];
    let status = 302;
    const url = await listen(t, (req, res) => {
      paths.push(req.url ?? '');
      res.writeHead(status, { Location: '/elsewhere', 'Retry-After': '30' }).end('no');
    });
    for (status of [302, 307, 400, 429, 500]) {
      await assert.rejects(post(url, letter, never()), (error) => {
        assert.ok(error instanceof NotTaken);
        assert.equal(error.message, `it answered ${status}`);
        assert.equal(error.retryAfterMs, 30_000);
        return true;
      });
    }
    assert.deepEqual([...new Set(paths)], ['/a/b?c=d']);
  });

  it('is done with the status, however long the answer goes on, and ends with its signal', async (t) => {
    const url = await listen(t, (_req, res) => void res.writeHead(200).write('and so on'));
    await post(url, letter, never());
    const silent = await listen(t, () => undefined);
    const ends = new AbortController();
    const posted = post(silent, letter, ends.signal);
    ends.abort();
    await assert.rejects(posted, { name: 'AbortError' });
  });
});
