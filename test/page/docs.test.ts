import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { serve } from '../api/socket.ts';
import { assertFits, assertUsable, openBrowser, openPage } from './browser.ts';

let browser: Browser;

before(async () => {
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
});

test('the page of the API can be read on a phone and on a desk, in both themes, and asks nobody else', async (t) => {
  const { port } = await serve(t, []);
  const seen = await openPage(browser, `http://127.0.0.1:${port}`, { width: 390 });
  t.after(seen.close);
  const { page, faults, refusals } = seen;
  await page.goto('/docs');
  await page.getByRole('heading', { name: 'API', exact: true }).waitFor();
  await assertUsable(page, '/docs on a phone');
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertUsable(page, '/docs, dark', ['color-contrast']);
  await page.setViewportSize({ width: 1280, height: 900 });
  await assertFits(page, '/docs on a desk');
  await page.getByRole('link', { name: 'POST /programs/{id}/start' }).first().click();
  await page.locator('#startProgram:target').waitFor();
  assert.deepEqual(faults, []);
  assert.deepEqual(refusals, []);
});
