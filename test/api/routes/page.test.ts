import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { caller } from '../call.ts';
import { fakePage, PAGE_FILES, writePage } from '../fake-page.ts';
import { ask, serve } from '../socket.ts';

const SHELL = PAGE_FILES['index.html'];
const JS = '/ui/assets/main-0a1b2c.js';
/** As Chromium asks where a person goes somewhere. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

test('each place of the page is its shell, whatever its query says', async () => {
  const { call } = caller();
  for (const path of [
    '/ui',
    '/ui/',
    '/ui?q=is%3Adown&sort=name',
    '/ui/programs',
    '/ui/programs/',
    '/ui/programs/p1',
    '/ui/programs/gone?tab=logs#L5',
    '/ui/deploy?from=p1',
    '/ui/host',
    '/ui/reasons',
    '/ui/signin',
  ]) {
    const answer = await call('GET', path);
    assert.deepEqual([answer.status, answer.text], [200, SHELL], path);
    assert.equal(answer.headers.get('Content-Type'), 'text/html; charset=utf-8');
    assert.equal(answer.headers.get('Cache-Control'), 'no-cache');
  }
});

test('where the page has no place it is its shell too, which says so, with 404', async () => {
  const { call } = caller();
  for (const path of [
    '/ui/x',
    '/ui/programs/a/b',
    '/ui/programs/-',
    '/ui/programs/a%2fb',
    '/ui/index.html',
    '/ui/icon',
  ]) {
    const answer = await call('GET', path, { headers: { 'If-None-Match': '*' } });
    assert.deepEqual([answer.status, answer.text], [404, SHELL], path);
  }
  assert.equal((await call('GET', '/uix')).json.message, 'no route GET /uix');
});

test('the page may load what comes from this host alone', async () => {
  const { call } = caller();
  for (const path of ['/ui', JS, '/ui/icon.svg', '/ui/x']) {
    const { headers } = await call('GET', path);
    assert.equal(
      headers.get('Content-Security-Policy'),
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    );
    assert.equal(headers.get('X-Content-Type-Options'), 'nosniff');
    assert.equal(headers.get('Referrer-Policy'), 'no-referrer');
    assert.equal(headers.get('Cross-Origin-Opener-Policy'), 'same-origin');
  }
});

test('files with a hash in their name never change; others are asked for again; what is not there is an error', async () => {
  const { call } = caller();
  for (const [path, type, cache] of [
    [JS, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/ui/assets/main-3d4e5f.css', 'text/css; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/ui/assets/notes.bin', 'application/octet-stream', 'public, max-age=31536000, immutable'],
    ['/ui/icon.svg', 'image/svg+xml', 'no-cache'],
  ] as const) {
    const { status, headers, text } = await call('GET', path);
    assert.deepEqual([status, text], [200, PAGE_FILES[path.slice('/ui/'.length)]], path);
    assert.deepEqual([headers.get('Content-Type'), headers.get('Cache-Control')], [type, cache]);
  }
  for (const path of ['/ui/assets/main-old.js', `${JS}.gz`, '/ui/assets/..%2findex.html']) {
    const { status, headers, json } = await call('GET', path);
    assert.deepEqual([status, json.code, headers.get('Cache-Control')], [404, 404, 'no-store'], path);
  }
});

test('it goes out in the best coding that is asked for and there, each with a tag of its own', async () => {
  const { call } = caller();
  const tags = new Set<string | null>();
  for (const [accepted, coding, text] of [
    ['gzip, deflate, br, zstd', 'br', 'the page, by brotli'],
    ['gzip, br;q=0', 'gzip', 'the page, by gzip'],
    ['br;q=0.1, gzip;q=0.9', 'gzip', 'the page, by gzip'],
    ['identity, br;q=0.5', null, SHELL],
    ['', null, SHELL],
    ['*', 'br', 'the page, by brotli'],
    ['*;q=0, gzip', 'gzip', 'the page, by gzip'],
  ] as const) {
    const answer = await call('GET', '/ui', { headers: { 'Accept-Encoding': accepted } });
    assert.deepEqual([answer.text, answer.headers.get('Content-Encoding')], [text, coding], accepted);
    assert.equal(answer.headers.get('Content-Length'), String(text?.length));
    assert.equal(answer.headers.get('Vary'), 'Accept-Encoding');
    tags.add(answer.headers.get('ETag'));
  }
  assert.equal(tags.size, 3);
  for (const tag of tags) assert.match(tag ?? '', /^"[\w-]{22}"$/);
  const none = await call('GET', '/ui/icon.svg', { headers: { 'Accept-Encoding': 'br, identity;q=0' } });
  assert.deepEqual([none.status, none.json.hint], [406, 'it is there as: identity']);
});

test('who has it already is told so, by the tag of the same coding', async () => {
  const { call } = caller();
  const br = { 'Accept-Encoding': 'br' };
  const ETag = (await call('GET', '/ui', { headers: br })).headers.get('ETag') ?? '';
  for (const seen of [ETag, `"other", W/${ETag}`, '*']) {
    const answer = await call('GET', '/ui', { headers: { ...br, 'If-None-Match': seen } });
    assert.deepEqual([answer.status, answer.text], [304, ''], seen);
    assert.deepEqual(
      ['ETag', 'Vary', 'Cache-Control', 'Content-Encoding'].map((name) => answer.headers.get(name)),
      [ETag, 'Accept-Encoding', 'no-cache', null],
    );
  }
  assert.equal((await call('GET', '/ui', { headers: { 'If-None-Match': ETag } })).status, 200);
  assert.equal((await call('GET', '/ui', { headers: { ...br, 'If-None-Match': '"other"' } })).status, 200);
});

test('HEAD has what GET has but the body; other methods are refused', async (t) => {
  const { port } = await serve(t, [], { pageFolder: fakePage() });
  const headers = { 'Accept-Encoding': 'gzip' };
  const [get, head] = [await ask(port, JS, { headers }), await ask(port, JS, { headers, method: 'HEAD' })];
  assert.deepEqual([get.text, head.text], ['go, by gzip', '']);
  const same = ['content-type', 'content-length', 'content-encoding', 'etag', 'cache-control', 'vary'];
  for (const name of same) assert.equal(head.headers[name], get.headers[name], name);
  assert.equal(head.headers['content-length'], '11');
  const post = await ask(port, '/ui/programs', { method: 'POST' });
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
});

test('one that is built anew is seen, and stays where it is taken away', async () => {
  const pageFolder = fakePage();
  const { call } = caller([], { pageFolder });
  const texts = async () => Promise.all(['/ui', JS].map(async (path) => (await call('GET', path)).text));
  assert.deepEqual(await texts(), [SHELL, 'go()']);
  const next = fakePage({ 'index.html': 'another page', 'assets/main-new.js': 'run()' });
  renameSync(pageFolder, `${pageFolder}.old`);
  assert.deepEqual(await texts(), [SHELL, 'go()'], 'between the two');
  renameSync(next, pageFolder);
  rmSync(`${pageFolder}.old`, { recursive: true });
  assert.equal((await call('GET', '/ui')).text, 'another page');
  assert.equal((await call('GET', '/ui/assets/main-new.js')).text, 'run()');
  assert.equal((await call('GET', JS)).status, 404);
  rmSync(join(pageFolder, 'index.html'));
  assert.equal((await call('GET', '/ui')).text, 'another page');
});

test('where none was built it says how, as HTML or as JSON; and it is there once it is built', async () => {
  const pageFolder = fakePage({});
  const { call } = caller([], { pageFolder });
  for (const path of ['/ui', '/ui/programs/p1', JS]) {
    const { status, json, headers } = await call('GET', path);
    assert.deepEqual(
      [status, json.message, json.hint],
      [503, 'the page has not been built', 'npm run build'],
    );
    assert.deepEqual([headers.get('Cache-Control'), headers.get('Vary')], ['no-store', 'Accept']);
  }
  const { status, headers, text } = await call('GET', '/ui', { headers: { Accept: BROWSER } });
  assert.deepEqual([status, headers.get('Content-Type')], [503, 'text/html; charset=utf-8']);
  assert.match(text, /npm run build/);
  assert.match(headers.get('Content-Security-Policy') ?? '', /^default-src 'none'/);
  writePage(pageFolder, PAGE_FILES);
  assert.equal((await call('GET', '/ui')).text, SHELL);
});

test('/ leads browsers to the page, and has nothing for others', async () => {
  const { call } = caller();
  for (const accept of [BROWSER, 'text/html', 'text/html, */*', 'text/html, application/json;q=0.9']) {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, text } = await call(method, '/?from=mail', { headers: { Accept: accept } });
      assert.deepEqual([status, headers.get('Location'), text], [303, '/ui', ''], accept);
      assert.equal(headers.get('Vary'), 'Accept');
    }
  }
  const others = [
    '*/*',
    'application/json',
    'application/json, text/html',
    'text/html;q=0, */*',
    'text/plain',
    '',
  ];
  for (const accept of [...others, 'text/html;q=x', 'text/html;q=0.5, */*;q=0.8']) {
    const { status, headers, json } = await call('GET', '/', { headers: { Accept: accept } });
    assert.deepEqual([status, json.message, headers.get('Vary')], [404, 'no route GET /', 'Accept'], accept);
  }
  assert.equal((await call('GET', '/')).status, 404);
});

test('a host that lets pages of other origins in tells what answers differ by, both', async (t) => {
  const { port } = await serve(t, [], { pageFolder: fakePage(), origins: ['http://a.example'] });
  assert.equal((await ask(port, '/ui')).headers.vary, 'Origin, Accept-Encoding');
  assert.equal((await ask(port, '/')).headers.vary, 'Origin, Accept');
});
