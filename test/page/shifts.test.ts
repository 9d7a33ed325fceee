import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { ProgramView } from '../../api/program-answers.ts';
import { until } from '../e2e/until.ts';
import { openBrowser, openPage } from './browser.ts';
import { GOOD, ILL, somePrograms, tellHistory } from './fake-programs.ts';
import { type FakeServer, startFakeServer } from './fake-server.ts';

/** Nothing moves that was not asked to: what changes by itself changes in its place. */

const ROUNDS = 30;
const ROUND_MS = 100;
/** From here on restarts are counted: figures stand at their right edge, and one more digit begins further left. */
const FIRST = 1_000;

let browser: Browser;
let server: FakeServer;

before(async () => {
  browser = await openBrowser();
  server = await startFakeServer(somePrograms());
  tellHistory(server);
});

after(async () => {
  await browser?.close();
  await server?.shut();
});

/** The sum of all shifts from now on, as Chromium counts them, and what moved. */
async function watchShifts(page: Page): Promise<() => Promise<{ sum: number; moved: string[] }>> {
  await page.evaluate(() => {
    const seen = { sum: 0, moved: [] as string[] };
    Object.assign(window, { seenShifts: seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, sources } = entry as PerformanceEntry & { value: number; sources: { node?: Node }[] };
        seen.sum += value;
        for (const { node } of sources)
          seen.moved.push(node instanceof Element ? node.outerHTML.slice(0, 120) : `${node?.textContent}`);
      }
    }).observe({ type: 'layout-shift' });
  });
  return () =>
    page.evaluate(() => (window as unknown as { seenShifts: { sum: number; moved: string[] } }).seenShifts);
}

/** A change of what is shown, and not of what it is called: more restarts, later numbers of as many digits in sentences. */
function changed(view: ProgramView, round: number): ProgramView {
  const { status } = view;
  const isIll = view.name === ILL;
  return {
    ...view,
    details: { ...view.details, restartsInHour: isIll ? 14 + round : 0 },
    status: {
      ...status,
      restartCount: FIRST + round,
      errorMsg: isIll ? status.errorMsg.replace(/\d+ times/, `${14 + round * 2} times`) : status.errorMsg,
    },
  };
}

/** As a host's words come: programs, events, output and figures. */
async function change(page: Page): Promise<void> {
  const views = somePrograms();
  for (let round = 1; round <= ROUNDS; round++) {
    for (const view of views) server.host.put(changed(view, round));
    for (const name of [GOOD, ILL]) {
      server.logOf(name).print(`round ${round} ${'and more '.repeat(round % 40)}`);
      server.host.emit(name, {
        ...{ time: new Date().toISOString(), type: 'Normal', reason: 'Ready', message: `round ${round}` },
        ...{ state: 'Ready', revision: 1 },
      });
    }
    await page.waitForTimeout(ROUND_MS);
  }
}

const PLACES = [
  { what: 'the list', path: '/ui', shows: '.row .c-why', restarts: '.c-restarts' },
  ...[GOOD, ILL].flatMap((name) =>
    ['logs', 'revisions'].map((tab) => ({
      what: `${name}, ${tab}`,
      path: `/ui/programs/${name}?tab=${tab}`,
      shows: '#panel > *',
      restarts: 'main',
    })),
  ),
];

for (const { what, path, shows, restarts } of PLACES) {
  test(`while things happen, nothing shifts: ${what}`, async () => {
    for (const view of somePrograms()) server.host.put(changed(view, 0));
    const { page, faults, close } = await openPage(browser, server.url);
    try {
      await page.goto(path);
      await page.locator(shows).first().waitFor();
      // What is asked for after the first picture has come.
      await page.waitForLoadState('load');
      await page.waitForTimeout(1_500);
      const shifts = await watchShifts(page);
      await change(page);
      const last = String(FIRST + ROUNDS);
      await until('the last change is shown', async () => {
        const text = (await page.locator(restarts).allTextContents()).join(' ');
        return text.replaceAll(',', '').includes(last);
      });
      const { sum, moved } = await shifts();
      assert.equal(sum, 0, `it shifted by ${sum}: ${moved.slice(0, 6).join('\n')}`);
      assert.deepEqual(faults, []);
    } finally {
      await close();
    }
  });
}
