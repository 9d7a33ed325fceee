import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { until } from '../e2e/until.ts';
import { openBrowser, openPage, type SeenPage } from './browser.ts';
import type { FakeServer } from './fake-server.ts';
import { nameOf, ROWS, startChanges, startManyRows } from './many-rows.ts';

/** A thousand programs: all are there, what is not seen costs nothing, and in the end what is shown is what is. */

let browser: Browser;
let server: FakeServer;
let seen: SeenPage;

before(async () => {
  browser = await openBrowser();
  server = await startManyRows();
  seen = await openPage(browser, server.url);
  await seen.page.goto('/ui');
  await seen.page.locator('.row .c-why').first().waitFor();
});

after(async () => {
  await browser?.close();
  await server?.shut();
});

/** Rows, and how many of them have more than their name. */
const rowsOf = (page: Page) =>
  page.evaluate(() => ({
    names: [...document.querySelectorAll('.row')].map((row) => row.getAttribute('data-id')),
    filled: document.querySelectorAll('.row .c-state').length,
  }));

/** What a row says of its program, and the group that it stands in. */
const shownOf = (page: Page) =>
  page.evaluate(() => {
    const found: Record<string, string> = {};
    let group = '';
    for (const node of document.querySelectorAll('.programs .group, .programs .row')) {
      if (node.classList.contains('group')) group = node.classList[1] ?? '';
      else {
        const state = node.querySelector('.c-state .state')?.textContent ?? 'not filled';
        const restarts = node.querySelector('.c-restarts')?.firstChild?.textContent ?? 'not filled';
        found[node.getAttribute('data-id') ?? ''] = `${state} ${restarts} in ${group}`;
      }
    }
    return found;
  });

async function scrollThrough(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let at = 0; at < document.documentElement.scrollHeight; at += innerHeight / 2) {
      scrollTo(0, at);
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    }
  });
}

test('all names are there from the first, and rows are filled as they come into sight', async () => {
  const { page } = seen;
  const first = await rowsOf(page);
  assert.equal(first.names.length, ROWS);
  assert.deepEqual(
    [...first.names].sort(),
    Array.from({ length: ROWS }, (_, index) => nameOf(index)),
  );
  assert.ok(first.filled < ROWS / 2, `${first.filled} rows were filled before anything was scrolled`);
  await scrollThrough(page);
  await until('all rows are filled', async () => (await rowsOf(page)).filled === ROWS);
});

test('while 50 programs change a second, and in the end it shows what the API says', async () => {
  const { page } = seen;
  const stop = startChanges(server);
  for (let round = 0; round < 2; round++) await scrollThrough(page);
  await until(
    'a few hundred changes',
    async () => [...server.host.views.values()].filter(isChanged).length > 200,
  );
  const made = stop();
  assert.ok(made > 200, `${made} changes`);
  await page.evaluate(() => scrollTo(0, 0));
  const kinds: Record<string, string> = { Ready: 'fine', Starting: 'busy', Error: 'down', Stopped: 'rest' };
  const wanted = Object.fromEntries(
    [...server.host.views.values()].map(({ name, status }) => [
      name,
      `${status.state} ${status.restartCount} in ${kinds[status.state]}`,
    ]),
  );
  let differs: string[] = [];
  await until(
    'it shows what is',
    async () => {
      const shown = await shownOf(page);
      differs = Object.keys({ ...wanted, ...shown }).filter((name) => shown[name] !== wanted[name]);
      // New blocks are born unfilled, and are filled near to what is seen.
      if (differs.some((name) => shown[name]?.includes('not filled'))) await scrollThrough(page);
      return differs.length === 0;
    },
    async () => `${differs.length} differ: ${differs.slice(0, 5).join(', ')}`,
  );
  assert.deepEqual(seen.faults, []);
});

const isChanged = ({ status }: { status: { restartCount: number } }) => status.restartCount > 0;

test('under the pointer rows stay where they are, and what is drawn in them goes on', async () => {
  const { page } = seen;
  await page.evaluate(() => scrollTo(0, 0));
  await page.locator('.row').nth(3).hover();
  await page.waitForTimeout(50);
  const before = (await rowsOf(page)).names;
  const stop = startChanges(server);
  const button = page.getByRole('button', { name: /sort again/i });
  await button.waitFor();
  assert.deepEqual((await rowsOf(page)).names, before);
  stop();
  await button.click();
  await page.mouse.move(5, 5);
  await until('they have changed their places', async () => {
    const { names } = await rowsOf(page);
    return names.join() !== before.join();
  });
});
