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
const FRAMES_PER_SECOND = 60;
/** What stands above the first row stays in sight for a while. */
const TOP_PX = 1_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '12' },
    /** For each frame: rows are some 34 high. */
    pixels: { type: 'string', default: '150' },
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

/**
 * As a hand does on a wheel or a touchpad, which the compositor answers: `scrollBy`, and to ask where the page stands,
 * would have it laid out once more in each frame.
 */
async function scrollByClock(page: Page, forMs: number, pixels: number): Promise<Scrolled> {
  const session = await page.context().newCDPSession(page);
  const stop = startChanges(server);
  const isOver = { value: false };
  const frames = framesUntil(page, isOver);
  const startedMs = Date.now();
  const distance = (await heightOf(page)) - TOP_PX;
  for (let way = -1; Date.now() - startedMs < forMs; way = -way)
    await session.send('Input.synthesizeScrollGesture', {
      ...{ x: 400, y: 400, yDistance: way * distance, speed: pixels * FRAMES_PER_SECOND },
      ...{ gestureSourceType: 'mouse', preventFling: true },
    });
  isOver.value = true;
  return { frames: await frames, made: stop() };
}

async function scrollInStep(page: Page, forMs: number, pixels: number): Promise<Scrolled> {
  const frames: number[] = [];
  const startedMs = Date.now();
  const steps = Math.floor(((await heightOf(page)) - TOP_PX) / pixels);
  await page.mouse.move(400, 400);
  for (let at = 0; Date.now() - startedMs < forMs; at++) {
    changeOne(server, frames.length);
    await page.mouse.wheel(0, at % (2 * steps) < steps ? pixels : -pixels);
    frames.push(
      await page.evaluate(
        () =>
          new Promise<number>((resolve) =>
            requestAnimationFrame((first) => requestAnimationFrame((second) => resolve(second - first))),
          ),
      ),
    );
  }
  return { frames, made: frames.length };
}

function heightOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollHeight);
}

/** @returns the times between frames, in milliseconds */
async function framesUntil(page: Page, isOver: { value: boolean }): Promise<number[]> {
  const frames: number[] = [];
  while (!isOver.value) {
    const some = await page.evaluate(
      () =>
        new Promise<number[]>((resolve) => {
          // Of an object: what tsx adds to functions with a name is not there in the page.
          const run = {
            times: [] as number[],
            frame(now: number) {
              run.times.push(now);
              if (run.times.length <= 60) requestAnimationFrame(run.frame);
              else resolve(run.times);
            },
          };
          requestAnimationFrame(run.frame);
        }),
    );
    frames.push(...some.slice(1).map((time, at) => time - (some[at] ?? time)));
  }
  return frames;
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
