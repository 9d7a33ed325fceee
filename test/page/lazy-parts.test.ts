import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openBrowser, openPage } from './browser.ts';
import { GOOD, somePrograms } from './fake-programs.ts';
import { type FakeServer, startFakeServer } from './fake-server.ts';
import { sees } from './stage.ts';

/** Parts of a program's page whose code comes when they are looked at. */

/** What is drawn does its work after the next frame: which is held back, as on a busy machine. A text, since it runs in the page. */
const HOLDING = `
  const held = [];
  window.hold = { on: false, held };
  const { requestAnimationFrame: frame, setTimeout: timer } = window;
  const whenFree = (run) => (...given) => (hold.on ? held.push(() => run(...given)) : run(...given));
  window.requestAnimationFrame = (run) => frame(whenFree(run));
  window.setTimeout = (run, ms) => timer(whenFree(run), ms);
`;

let browser: Browser;
let host: FakeServer;

before(async () => {
  browser = await openBrowser();
  host = await startFakeServer(somePrograms());
});

after(async () => {
  await browser?.close();
  await host?.shut();
});

test('one that was left while its code was on the way is there when it is come back to', async () => {
  const { page, close } = await openPage(browser, host.url);
  await page.addInitScript({ content: HOLDING });
  let bring = () => {};
  const isBrought = new Promise<void>((resolve) => {
    bring = resolve;
  });
  const isAsked = new Promise<void>((resolve) => {
    void page.route(/\/assets\/logs-[^/]*\.js$/, async (route) => {
      resolve();
      await isBrought;
      await route.continue();
    });
  });
  await page.goto(`/ui/programs/${GOOD}?tab=events`);
  await sees(page.getByRole('region', { name: 'Events' }));
  await page.keyboard.press('1');
  await isAsked;
  await page.keyboard.press('3');
  await sees(page.getByRole('region', { name: 'Events' }));
  await page.evaluate(() => {
    (window as unknown as { hold: { on: boolean } }).hold.on = true;
  });
  await page.keyboard.press('1');
  const code = page.waitForResponse(/\/assets\/logs-[^/]*\.js$/);
  await sees(page.getByText('Loading…'));
  bring();
  await (await code).finished();
  await page.evaluate(async (tag) => {
    const link = document.querySelector<HTMLLinkElement>(tag);
    // The same module, which is run by the time that this has it.
    if (link !== null) await import(link.href);
    const { hold } = window as unknown as { hold: { on: boolean; held: (() => void)[] } };
    hold.on = false;
    for (const run of hold.held.splice(0)) run();
  }, 'link[rel="modulepreload"][href*="/assets/logs-"]');
  await sees(page.getByRole('log', { name: `Output of ${GOOD}` }));
  await close();
});
