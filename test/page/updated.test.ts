import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { ROOT } from '../setup/host-settings.ts';
import { openBrowser, openPage } from './browser.ts';

/** A host that was updated has another page, and none of the files that a page of before still asks for. */

const DIST = join(ROOT, 'api', 'ui', 'dist');
const TYPES: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
/** Of scripts that are loaded later. */
const LATER = /\/assets\/(?!index-)[^/]*\.js$/;

let browser: Browser;
let server: Server;
let url: string;
let isUpdated = false;

before(async () => {
  browser = await openBrowser();
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    if (!path.startsWith('/ui') || (isUpdated && LATER.test(path))) {
      response.writeHead(404).end();
      return;
    }
    const isFile = extname(path) !== '';
    const type = TYPES[extname(path)] ?? 'text/html; charset=utf-8';
    const text = readFileSync(join(DIST, isFile ? path.slice('/ui/'.length) : 'index.html'));
    const isShell = !isFile && isUpdated;
    response.writeHead(200, { 'content-type': type });
    response.end(isShell ? text.toString().replaceAll(/index-[\w-]+\.js/g, 'index-other.js') : text);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(async () => {
  await browser.close();
  server.close();
});

test('an example and the editor of a page that was updated: it is said, and what is typed outlives the reload', async () => {
  isUpdated = false;
  const { page, close } = await openPage(browser, url);
  await page.goto('/ui/deploy');
  await page.getByRole('button', { name: 'A Dockerfile' }).waitFor();
  isUpdated = true;
  await page.getByRole('button', { name: 'counter' }).click();
  const says = page.getByText('This page was updated: load it again.');
  await says.waitFor();
  await page.getByRole('button', { name: 'A Dockerfile' }).click();
  const field = page.getByRole('textbox', { name: 'Dockerfile' });
  await field.fill('FROM busybox\n# typed');
  assert.ok(await says.first().isVisible());
  isUpdated = false;
  await page.getByRole('button', { name: 'Load it again' }).first().click();
  await page.locator('.editor[data-ready="true"]').waitFor();
  assert.match((await page.locator('.editor .cm-content').textContent()) ?? '', /# typed/);
  assert.equal(await says.count(), 0);
  await close();
});
