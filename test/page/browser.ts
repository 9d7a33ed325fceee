import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { LIMIT_MS } from '../e2e/until.ts';
import { findChromium } from '../setup/chromium.ts';
import { ROOT } from '../setup/host-settings.ts';

/** Pictures of what the tests saw, for people; git does not know them. */
const SHOTS = join(ROOT, 'test', 'page', 'shots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const FITS_TRIES = 40;
const FITS_PAUSE_MS = 100;

/** Real Chromium without a window. Close it when the tests of a file have ended. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error('there is no Chromium; npm test installs one, or: apt-get install chromium');
  // Its own sandbox needs rights that root in a container does not have; it opens nothing but the host's page.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export interface Look {
  width?: number;
  height?: number;
  theme?: 'light' | 'dark';
}

/** A page, and what it did that it should not have: errors, refusals of the policy, requests to anybody else. */
export interface SeenPage {
  page: Page;
  faults: string[];
  /** What it asked and was refused, as `404 GET /programs/grid`. */
  refusals: string[];
  close(): Promise<void>;
}

/** A busy machine draws within this; what has not come by then is looked into. */
const DRAWN_MS_MAX = 60_000;
const LOADS_MAX = 3;

/**
 * Opens a path, and waits for what is to be seen there. Where the browser draws no frame at all, the page is loaded
 * again: nothing of it can be seen, nor waited for. Once a page of which nothing else is known showed nothing for minutes.
 */
export async function openPath(page: Page, path: string, ready: string): Promise<void> {
  for (let loads = 1; ; loads++) {
    await page.goto(path);
    const seen = page.locator(ready).first();
    const isSeen = await seen.waitFor({ timeout: DRAWN_MS_MAX }).then(
      () => true,
      () => false,
    );
    if (isSeen) return;
    if (loads < LOADS_MAX && !(await drawsFrames(page))) continue;
    await seen.waitFor();
    return;
  }
}

function drawsFrames(page: Page): Promise<boolean> {
  return page.evaluate(
    () =>
      new Promise<boolean>((resolve) => {
        requestAnimationFrame(() => resolve(true));
        setTimeout(() => resolve(false), 10_000);
      }),
  );
}

/** @param url of the host, e.g. `http://127.0.0.1:9000` */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, height = 900, theme = 'light' }: Look = {},
): Promise<SeenPage> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const faults: string[] = [];
  const refusals: string[] = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // What the host answers with 4xx is told here too, and is no fault of the page.
    const isAnswer = /^Failed to load resource/.test(message.text());
    if (message.type() === 'error' && !isAnswer) faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (origin !== new URL(url).origin) faults.push(`asked ${request.url()}`);
  });
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (response.status() >= 400)
      refusals.push(`${response.status()} ${response.request().method()} ${pathname}`);
  });
  return { page, faults, refusals, close: () => context.close() };
}

/** A picture of the whole page, to be looked at; behind a dialog, of what the window shows. */
export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  const fullPage = (await page.getByRole('dialog').count()) === 0;
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage });
}

/**
 * Fails for what axe-core calls serious or worse, and for what runs out of the page at its side.
 * @param rules of axe-core that are asked, by default all: of a page that was asked in another theme, those of colours
 */
export async function assertUsable(page: Page, where: string, rules: readonly string[] = []): Promise<void> {
  // By the debugger: the page's own policy lets no script in.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const found = await page.evaluate(async (only) => {
    const { axe } = window as unknown as {
      axe: {
        run(options: { runOnly?: readonly string[]; resultTypes: readonly string[] }): Promise<{
          violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
        }>;
      };
    };
    const options = { ...(only.length > 0 && { runOnly: only }), resultTypes: ['violations'] };
    const { violations } = await axe.run(options);
    return violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`),
    }));
  }, rules);
  const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious, [], `axe in ${where}`);
  await assertFits(page, where);
}

/** Fails for what runs out of the page at its side, and goes on doing so: what measures itself does so a frame later. */
export async function assertFits(page: Page, where: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { over, what } = await overflowOf(page);
    if (over <= 0) return;
    assert.ok(tries < FITS_TRIES, `${where} is ${over} px wider than the window: ${what}`);
    await page.waitForTimeout(FITS_PAUSE_MS);
  }
}

function overflowOf(page: Page): Promise<{ over: number; what: string }> {
  return page.evaluate(() => {
    const over = document.documentElement.scrollWidth - innerWidth;
    const all = over > 0 ? [...document.body.querySelectorAll('*')] : [];
    const wide = all.filter((node) => node.getBoundingClientRect().right > innerWidth + 0.5);
    const names = wide.slice(0, 6).map((node) => `${node.tagName}.${node.getAttribute('class') ?? ''}`);
    return { over, what: names.join(', ') };
  });
}
