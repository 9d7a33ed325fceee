/**
 * `npm run trace:page`: scrolls through 1,000 programs of which 50 change a second, and says how long the page's main
 * thread was busy at a stretch: by the clock, and by the thread's own time, which a busy machine does not add to.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { openBrowser, openPage } from './browser.ts';
import { changeOne, ROWS, startChanges, startManyRows } from './many-rows.ts';
import { CATEGORIES, type Task, tasksOf } from './trace.ts';

const LONG_MS = 50;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '12' },
    /** For each frame. */
    pixels: { type: 'string', default: '300' },
    /** Whether the pointer is in the list, so that the order is held. */
    held: { type: 'boolean', default: false },
    /**
     * Each frame waits for one change, as 50 a second come to on a quiet machine: on a busy one frames are rare, and would
     * have many changes each.
     */
    lockstep: { type: 'boolean', default: false },
  },
});

const server = await startManyRows();
const browser = await openBrowser();
try {
  const { page, faults } = await openPage(browser, server.url);
  await page.goto('/ui');
  await page.locator('.row .c-why').first().waitFor();
  await page.waitForTimeout(1_000);
  if (values.held) await page.locator('.row').nth(3).hover();
  await browser.startTracing(page, { categories: CATEGORIES });
  const forMs = Number(values.seconds) * 1_000;
  const pixels = Number(values.pixels);
  const { frames, made } = values.lockstep
    ? await scrollInStep(page, forMs, pixels)
    : await scrollByClock(page, forMs, pixels);
  const trace = await browser.stopTracing();
  tell(tasksOf(trace), frames, made);
  for (const fault of faults) say(`fault: ${fault}`);
} finally {
  await browser.close();
  await server.shut();
}

interface Scrolled {
  /** The times between frames, in milliseconds. */
  frames: number[];
  /** How many changes there were. */
  made: number;
}

async function scrollByClock(page: Page, forMs: number, pixels: number): Promise<Scrolled> {
  const stop = startChanges(server);
  const frames = await scroll(page, forMs, pixels);
  return { frames, made: stop() };
}

async function scrollInStep(page: Page, forMs: number, pixels: number): Promise<Scrolled> {
  const frames: number[] = [];
  const startedMs = Date.now();
  for (let step = pixels; Date.now() - startedMs < forMs; ) {
    changeOne(server, frames.length);
    const seen = await page.evaluate(
      (by) =>
        new Promise<{ ms: number; isEnd: boolean }>((resolve) => {
          scrollBy(0, by);
          requestAnimationFrame((first) =>
            requestAnimationFrame((second) => {
              const end = document.documentElement.scrollHeight - innerHeight;
              resolve({ ms: second - first, isEnd: scrollY <= 1 || scrollY >= end - 1 });
            }),
          );
        }),
      step,
    );
    frames.push(seen.ms);
    if (seen.isEnd) step = -step;
  }
  return { frames, made: frames.length };
}

/** Down and up again, some pixels a frame. @returns the times between frames, in milliseconds */
function scroll(page: Page, forMs: number, pixels: number): Promise<number[]> {
  return page.evaluate(
    ([forMs = 0, pixels = 0]) =>
      new Promise<number[]>((resolve) => {
        const startedMs = performance.now();
        // Of an object: what tsx adds to functions with a name is not there in the page.
        const run = {
          frames: [] as number[],
          last: startedMs,
          step: pixels,
          frame(now: number) {
            run.frames.push(now - run.last);
            run.last = now;
            const end = document.documentElement.scrollHeight - innerHeight;
            if (scrollY >= end - 1) run.step = -pixels;
            else if (scrollY <= 1) run.step = pixels;
            scrollBy(0, run.step);
            if (now - startedMs < forMs) requestAnimationFrame(run.frame);
            else resolve(run.frames.slice(1));
          },
        };
        requestAnimationFrame(run.frame);
      }),
    [forMs, pixels],
  );
}

function tell(tasks: readonly Task[], frames: readonly number[], made: number): void {
  const sorted = frames.toSorted((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]?.toFixed(1);
  const long = tasks.filter(({ ownMs }) => ownMs > LONG_MS).length;
  say(
    `${ROWS} programs, ${made} changes, order ${values.held ? 'held' : 'free'}; load ${loadavg()[0]?.toFixed(1)}`,
  );
  say(
    `frames: ${frames.length}, of them ${frames.filter((ms) => ms > LONG_MS).length} over ${LONG_MS} ms by the clock`,
  );
  say(
    `  median ${at(0.5)} ms, 95 % ${at(0.95)} ms, 99 % ${at(0.99)} ms, longest ${sorted.at(-1)?.toFixed(1)} ms`,
  );
  say(`tasks of the main thread: ${tasks.length}, of them ${long} over ${LONG_MS} ms of its own time`);
  for (const { ms, ownMs, parts } of tasks.slice(0, 5)) {
    const of = parts.slice(0, 7).map((part) => `${part.name} ${part.ownMs.toFixed(1)}`);
    say(`  ${ownMs.toFixed(1)} ms (${ms.toFixed(1)} by the clock): ${of.join(', ')}`);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
