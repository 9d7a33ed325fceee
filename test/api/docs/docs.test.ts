import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { ApiDocument } from '../../../api/docs/document.ts';
import { exampleOf } from '../../../api/docs/example.ts';
import { curlLine } from '../../../api/docs/operation.ts';
import { callsOf, docsPage } from '../../../api/docs/page.ts';
import { caller } from '../call.ts';
import { openapi, QUICKLY_MADE } from '../openapi.ts';

const document = openapi as unknown as ApiDocument;
const page = docsPage(document);
const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);

test('the page has every call, every schema and every answer, each at an address of its own', () => {
  for (const { path, operation } of callsOf(document)) {
    assert.ok(ids.includes(operation.operationId), path);
    const [article = ''] = page
      .slice(page.indexOf(`<article id="${operation.operationId}"`))
      .split('</article>');
    for (const code of Object.keys(operation.responses))
      assert.ok(article.includes(`<dt><code>${code}</code></dt>`), `${path} ${code}`);
  }
  for (const name of Object.keys(document.components?.schemas ?? {}))
    assert.ok(ids.includes(`schema-${name}`), name);
  assert.equal(new Set(ids).size, ids.length, 'an id is there twice');
  for (const [, target = ''] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(target), target);
  for (const [tag] of [page.match(/<(?:script|style|img|iframe)\b| (?:style|on\w+)="/)].filter(
    (one) => one !== null,
  ))
    assert.fail(`${tag}: its policy lets nothing in that is written into it`);
});

test('what a description says is text and never HTML', () => {
  const text = docsPage({
    info: { title: 'A & B', description: 'One <b>bold</b> `<code>`\n\nTwo' },
    tags: [{ name: 'x' }],
    paths: { '/a': { get: { operationId: 'a', tags: ['x'], responses: { 200: { description: '"<i>"' } } } } },
  });
  assert.match(text, /<title>API of A &amp; B<\/title>/);
  assert.match(text, /<p>One &lt;b&gt;bold&lt;\/b&gt; <code>&lt;code&gt;<\/code><\/p><p>Two<\/p>/);
  assert.match(text, /&quot;&lt;i&gt;&quot;/);
});

test('examples are what their schemas describe', () => {
  const ajv = new Ajv2020({
    ...{ strict: false, validateSchema: false, formats: { uri: true } },
    ...QUICKLY_MADE,
  });
  (addFormats as unknown as (instance: Ajv2020) => void)(ajv);
  ajv.addSchema(openapi, 'openapi');
  for (const name of Object.keys(document.components?.schemas ?? {})) {
    const example = exampleOf(document, { $ref: `#/components/schemas/${name}` });
    const isValid = ajv.validate({ $ref: `openapi#/components/schemas/${name}` }, example);
    assert.ok(isValid, `${name}: ${ajv.errorsText()}`);
  }
});

test('the line for a terminal is what a shell takes', () => {
  const calls = callsOf(document);
  const lineOf = (id: string) => {
    const { path, method, operation } =
      calls.find((one) => one.operation.operationId === id) ?? assert.fail(id);
    return curlLine(document, path, method, operation);
  };
  assert.equal(lineOf('listPrograms'), 'curl "http://localhost:9000/programs"');
  assert.equal(lineOf('startProgram'), 'curl -X POST "http://localhost:9000/programs/my-program/start"');
  assert.equal(lineOf('proxyHead'), 'curl --head "http://localhost:9000/programs/my-program/proxy/"');
  assert.match(
    lineOf('createProgram'),
    /-X POST .*\n {2}-H 'Content-Type: application\/json' -d '\{\n {2}"user_id"/,
  );
  const ofTar =
    calls.find(({ path, method }) => path.endsWith('/state') && method === 'put') ?? assert.fail();
  assert.match(
    curlLine(document, ofTar.path, ofTar.method, ofTar.operation),
    /x-tar' --data-binary @state\.tar$/,
  );
  for (const { path, method, operation } of calls) {
    const line = curlLine(document, path, method, operation);
    assert.equal((line.match(/'/g) ?? []).length % 2, 0, line);
    assert.equal(/\{\w+\}/.test(line.split('\n')[0] ?? ''), false, line);
  }
});

test('/docs is HTML under a policy without script, known again by its ETag', async () => {
  const { call } = caller();
  for (const [path, type] of [
    ['/docs', 'text/html; charset=utf-8'],
    ['/docs/style.css', 'text/css; charset=utf-8'],
  ] as const) {
    const seen = await call('GET', path);
    assert.equal(seen.status, 200);
    assert.equal(seen.headers.get('Content-Type'), type);
    assert.match(seen.headers.get('Content-Security-Policy') ?? '', /^default-src 'none'; style-src 'self';/);
    const etag = seen.headers.get('ETag') ?? assert.fail('it has no ETag');
    const again = await call('GET', path, { headers: { 'If-None-Match': etag } });
    assert.equal(again.status, 304);
  }
});

test('no description is cut off where a comma makes the rest of it a key of its own', () => {
  const cut: string[] = [];
  const look = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, of] of Object.entries(value)) {
      if (of === null && !Array.isArray(value)) cut.push(`${path}/${key}`);
      look(of, `${path}/${key}`);
    }
  };
  look(openapi, '');
  assert.deepEqual(cut, []);
});
