import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { serve } from '../api/socket.ts';
import { assertUsable, openBrowser, openPage, shoot } from './browser.ts';

let browser: Browser;

before(async () => {
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
});

for (const theme of ['light', 'dark'] as const)
  for (const width of [390, 1280])
    test(`the page of the API can be read at ${width} px, ${theme}`, async (t) => {
      const { port } = await serve(t, []);
      const { page, faults, refusals, close } = await openPage(browser, `http://127.0.0.1:${port}`, {
        width,
        theme,
      });
      await page.goto('/docs');
      await page.getByRole('heading', { name: 'API', exact: true }).waitFor();
      await assertUsable(page, `/docs at ${width}, ${theme}`);
      await shoot(page, `docs-${width}-${theme}`);
      await page.getByRole('navigation').getByRole('link', { name: 'POST /programs/{id}/start' }).click();
      await page.locator('#startProgram:target').waitFor();
      assert.deepEqual(faults, []);
      assert.deepEqual(refusals, []);
      await close();
    });
