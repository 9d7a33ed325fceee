import assert from 'node:assert/strict';
import type { Browser, Locator, Page } from 'playwright-core';
import { createHost, type Host } from '../e2e/host.ts';
import { until } from '../e2e/until.ts';
import { type Look, openBrowser, openPage, shoot } from './browser.ts';

/** A real host with a real engine, and a real browser beside it: one for all stories of a file. */
export interface Stage {
  host: Host;
  /**
   * Opens the page at a path, lets the story go, and fails where the page did what it should not have; a story that
   * fails leaves a picture, and what stood on the page.
   */
  tell(path: string, story: (page: Page) => Promise<void>, options?: TellOptions): Promise<void>;
  /** Starts the host again, where it listened before. */
  hostAgain(): Promise<void>;
  close(): Promise<void>;
}

export interface TellOptions extends Look {
  /** What may be refused, as `409 PUT /programs/…`. */
  mayRefuse?: RegExp;
}

/** Routes of the WatcherAPI that a program does not have are asked for, and are not there. */
const NO_WATCHER = /^40\d GET \/programs\/[^/]+\/watcher\//;

/** @param ports the port range of the file's own, within 29900–29949 */
export async function openStage(ports: string): Promise<Stage> {
  const host = await createHost(ports);
  let browser: Browser | undefined;
  try {
    browser = await openBrowser();
    await host.start();
  } catch (error) {
    await browser?.close();
    await host.close();
    throw error;
  }
  const url = await host.child().url();
  const own = browser;
  return {
    host,
    async tell(path, story, { mayRefuse, ...look } = {}) {
      const { page, faults, refusals, close } = await openPage(own, url, look);
      try {
        await page.goto(path);
        await story(page);
        assert.deepEqual(faults, [], 'what the page did that it should not');
        const unasked = refusals.filter((one) => !NO_WATCHER.test(one) && mayRefuse?.test(one) !== true);
        assert.deepEqual(unasked, [], 'what it asked and was refused');
      } catch (error) {
        const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
        throw new Error(`${words}\n${await whatStood(page)}\nFaults: ${faults.join('\n') || 'none'}`);
      } finally {
        await close();
      }
    },
    async hostAgain() {
      await host.start({ args: ['--port', new URL(url).port] });
    },
    async close() {
      await own.close();
      await host.close();
    },
  };
}

async function whatStood(page: Page): Promise<string> {
  await shoot(page, `failed-${new URL(page.url()).pathname.replace(/\W+/g, '-')}`).catch(() => undefined);
  const stood = await page.locator('body').ariaSnapshot({ timeout: 5_000 });
  return `The story ended where ${page.url()} showed:\n${stood}`;
}

/** Waits until it is seen. With words: until it says them. */
export async function sees(where: Locator, words?: string | RegExp): Promise<void> {
  await (words === undefined ? where : where.filter({ hasText: words })).waitFor();
}

export async function seesNoMore(where: Locator): Promise<void> {
  await where.waitFor({ state: 'hidden' });
}

/** Waits until a button can be pressed, or can not. */
export async function untilPressable(button: Locator, isPressable = true): Promise<void> {
  await until(
    `it can ${isPressable ? '' : 'not '}be pressed: ${button}`,
    async () => (await button.isEnabled()) === isPressable,
  );
}
