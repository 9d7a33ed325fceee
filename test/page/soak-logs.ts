/**
 * `npm run soak:page -- --minutes 60`: a log that is open at its end while its program prints 50 lines a second. Says
 * each minute what the page holds, and fails where that grows.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { fakeView } from '../api/fake-view.ts';
import { openBrowser, openPage } from './browser.ts';
import { startFakeServer } from './fake-server.ts';

const LINES_PER_SECOND = 50;
const TICK_MS = 100;
/** Growth from the second quarter of the time to the last that is still called flat. */
const GROWTH_MAX = 0.1;
const MEBI = 2 ** 20;

interface Sample {
  minute: number;
  heap: number;
  nodes: number;
  listeners: number;
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
if (!(minutes >= 4)) throw new Error('--minutes must be a number of at least 4');

const server = await startFakeServer([fakeView('talker')]);
const log = server.logOf('talker');
const browser = await openBrowser();
try {
  process.exitCode = (await soak()) ? 0 : 1;
} finally {
  await browser.close();
  await server.shut();
}

/** @returns whether it was flat */
async function soak(): Promise<boolean> {
  const { page, faults } = await openPage(browser, server.url);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  await page.goto('/ui/programs/talker?tab=logs');
  await page.locator('.log').waitFor();
  const startedMs = Date.now();
  let printed = 0;
  const printer = setInterval(() => {
    // By the clock: a busy machine lets ticks out.
    const due = Math.floor(((Date.now() - startedMs) / 1_000) * LINES_PER_SECOND);
    for (; printed < due; printed++) log.print(lineOf(printed));
  }, TICK_MS);
  const samples: Sample[] = [];
  say(`${LINES_PER_SECOND} lines/s for ${minutes} min; load ${loadOf()}`);
  try {
    for (let minute = 1; minute <= minutes; minute++) {
      await new Promise((resolve) => setTimeout(resolve, startedMs + minute * 60_000 - Date.now()));
      await cdp.send('HeapProfiler.collectGarbage');
      const { metrics } = await cdp.send('Performance.getMetrics');
      const of = (name: string) => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
      const sample = {
        minute,
        heap: of('JSHeapUsedSize'),
        nodes: of('Nodes'),
        listeners: of('JSEventListeners'),
      };
      samples.push(sample);
      const shown = await page.locator('.log').evaluate((box) => ({
        text:
          box.textContent
            ?.match(/line (\d+) /g)
            ?.at(-1)
            ?.slice(5, -1) ?? 'none',
        below: Math.round(box.scrollHeight - box.scrollTop - box.clientHeight),
      }));
      say(
        `min ${minute}: heap ${(sample.heap / MEBI).toFixed(2)} Mi, ${sample.nodes} nodes, ` +
          `${sample.listeners} listeners; ${printed} printed, ${shown.text} is the last shown, ` +
          `${shown.below} px to the end; load ${loadOf()}`,
      );
    }
  } finally {
    clearInterval(printer);
  }
  for (const fault of new Set(faults)) say(`fault: ${fault}`);
  return verdict(samples) && faults.length === 0;
}

function verdict(samples: readonly Sample[]): boolean {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const [second, last] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)];
  let isFlat = true;
  for (const key of ['heap', 'nodes', 'listeners'] as const) {
    const [before, after] = [meanOf(second, key), meanOf(last, key)];
    const growth = after / before - 1;
    const slope = slopeOf(samples.slice(Math.floor(samples.length / 2)), key);
    const unit = key === 'heap' ? ([MEBI, ' Mi'] as const) : ([1, ''] as const);
    say(
      `${key}: ${(before / unit[0]).toFixed(2)}${unit[1]} in the second quarter, ` +
        `${(after / unit[0]).toFixed(2)}${unit[1]} in the last (${(growth * 100).toFixed(1)} %); ` +
        `in the last half ${((slope * 60) / unit[0]).toFixed(3)}${unit[1]} an hour`,
    );
    if (!(growth <= GROWTH_MAX)) isFlat = false;
  }
  say(isFlat ? 'flat' : 'it grows');
  return isFlat;
}

function meanOf(samples: readonly Sample[], key: keyof Sample): number {
  return samples.reduce((sum, sample) => sum + sample[key], 0) / samples.length;
}

/** By least squares, for each minute. */
function slopeOf(samples: readonly Sample[], key: keyof Sample): number {
  const [x, y] = [meanOf(samples, 'minute'), meanOf(samples, key)];
  const over = samples.reduce((sum, sample) => sum + (sample.minute - x) * (sample[key] - y), 0);
  const under = samples.reduce((sum, sample) => sum + (sample.minute - x) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

/** Of different lengths, as output is. */
function lineOf(number: number): string {
  return `line ${number} level=info msg="served" path=/orders/${number % 997} ms=${(number * 7) % 311}${' …'.repeat(number % 40)}`;
}

function loadOf(): string {
  return loadavg()[0]?.toFixed(1) ?? '';
}

function say(text: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}
