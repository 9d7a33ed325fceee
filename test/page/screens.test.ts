import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { fakeView } from '../api/fake-view.ts';
import { assertFits, assertUsable, openBrowser, openPage, openPath, shoot } from './browser.ts';
import { editorOf, typeAtEnd } from './editors.ts';
import { GOOD, ILL, LONG, somePrograms, tellHistory, troubledHost } from './fake-programs.ts';
import { type FakeServer, startFakeServer } from './fake-server.ts';

/** Every screen and state: whoever uses it, in both themes, and in a window of any size. */

/** The least that has to be done on the way to it. */
interface Screen {
  name: string;
  path: string;
  /** A selector of what is there once it stands. */
  ready: string;
  /** Before the page is opened. */
  before?: () => Promise<void>;
  act?: (page: Page) => Promise<void>;
}

const SIZES = [
  { size: 'wide', width: 1280, height: 900 },
  { size: 'phone', width: 390, height: 844 },
];
type Size = (typeof SIZES)[number];
/** Where only what runs out of the page is looked for. */
const MORE_WIDTHS = [320, 760, 1920];
/** `npm run screens:page` looks at each screen in the other theme too, and at more widths; it takes minutes. */
const isWhole = process.env.SCREENS === 'whole';
const TABS = ['logs', 'build', 'events', 'manifest', 'revisions', 'source', 'watcher'];
/** Of a part, whichever it is. */
const PART = '#panel > :not(.waiting)';

let browser: Browser;
let host: FakeServer;
let away: FakeServer;
let empty: FakeServer;
let program: Server;

before(async () => {
  program = createServer((req, res) => {
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify(WATCHED[(req.url ?? '').split('?')[0] ?? ''] ?? {}));
  }).listen(0, '127.0.0.1');
  browser = await openBrowser();
  const { port } = program.address() as AddressInfo;
  host = await startFakeServer(somePrograms());
  tellHistory(host);
  host.host.put(fakeView(GOOD, { port, userId: 'ana' }));
  away = await startFakeServer(somePrograms());
  tellHistory(away);
  const view = troubledHost(away.host.view);
  away.host.view = {
    ...view,
    engine: { ...view.engine, message: 'connect ENOENT', version: null, runtimes: null },
  };
  empty = await startFakeServer([]);
});

after(async () => {
  await browser?.close();
  program?.close();
  for (const one of [host, away, empty]) await one?.shut();
});

const WATCHED: Record<string, unknown> = {
  '/watcher/status': { state: 'running', uptime: '5h31m2.123s', ticks: 18_412 },
  '/watcher/varState': {
    variables: { price: 61_234.5, book: { bids: [[1, 2]], asks: [[3, 4]] }, empty: null },
  },
  '/watcher/watching': { watching: ['price', 'book'] },
  '/watcher/signals': { signals: [{ kind: 'tick', time: new Date().toISOString(), value: 'x'.repeat(90) }] },
  '/watcher/memoCache': { entries: 3 },
  '/watcher/config': { maxSpread: 0.5, venue: 'kraken' },
};

const press = (name: string | RegExp) => (page: Page) => page.getByRole('button', { name }).first().click();
const see = (page: Page, selector: string) => page.locator(selector).first().waitFor();

const OF_HOST: Screen[] = [
  { name: 'list', path: '/ui', ready: '.row .c-why' },
  {
    ...{ name: 'list-filtered', path: '/ui?q=is:down%20-user:ana&sort=mem', ready: '.chip' },
    act: async (page) => {
      await page.locator('#search').fill('sta');
      await see(page, '.hint-row');
    },
  },
  { name: 'list-no-match', path: '/ui?q=nothing-is-called-so', ready: '.nothing' },
  {
    ...{ name: 'list-menu', path: '/ui', ready: '.row .c-why' },
    act: async (page) => {
      await press(`More for ${ILL}`)(page);
      await see(page, '[role="menu"]');
    },
  },
  {
    ...{ name: 'keys', path: '/ui', ready: '.row .c-why' },
    act: async (page) => {
      await page.keyboard.press('?');
      await see(page, 'dialog[open]');
    },
  },
  ...[GOOD, ILL].flatMap((name) =>
    TABS.map((tab) => ({
      name: `program-${name === GOOD ? 'good' : 'ill'}-${tab}`,
      ...{ path: `/ui/programs/${name}?tab=${tab}`, ready: PART },
    })),
  ),
  { name: 'program-long', path: `/ui/programs/${LONG}`, ready: PART },
  ...[
    'built-badly',
    'slow',
    'rolled-back',
    'mistyped',
    'from-tomorrow',
    'in-the-making',
    'replay-2025',
    'done',
  ].map((name) => ({ name: `program-${name}`, path: `/ui/programs/${name}`, ready: PART })),
  {
    ...{ name: 'program-delete', path: `/ui/programs/${GOOD}`, ready: PART },
    act: async (page) => {
      await press(/^More/)(page);
      await page.getByRole('menuitem', { name: /Delete/ }).click();
      await see(page, 'dialog[open]');
    },
  },
  { name: 'no-such-program', path: '/ui/programs/nobody', ready: '.empty' },
  { name: 'no-such-page', path: '/ui/nowhere', ready: '.empty' },
  { name: 'deploy', path: '/ui/deploy', ready: '.drop' },
  {
    ...{ name: 'deploy-filled', path: '/ui/deploy', ready: '.drop' },
    act: async (page) => {
      await press('trading-sim')(page);
      await page.getByRole('button', { name: 'Deploy', exact: true }).waitFor();
    },
  },
  { name: 'host', path: '/ui/host', ready: 'main h1' },
  { name: 'reasons', path: '/ui/reasons#CrashLoopBackOff', ready: 'main h1' },
];

const OF_AWAY: Screen[] = [
  { name: 'away-list', path: '/ui', ready: '.band' },
  { name: 'away-program', path: `/ui/programs/${ILL}`, ready: PART },
  { name: 'away-host', path: '/ui/host', ready: '.band' },
];

/** Of a host of its own that goes away while the page is looked at: what was there stays, and the bar says as of when. */
function ofLost(server: FakeServer): Screen[] {
  const before = () => server.open();
  const act = async (page: Page) => {
    await server.shut();
    await see(page, '.live.lost');
  };
  const type = async (page: Page) => {
    await act(page);
    await typeAtEnd(editorOf(page, `Manifest of ${GOOD}`), '# a note');
    await page.getByText('It could not be checked').waitFor();
  };
  return [
    { name: 'lost-list', path: '/ui', ready: '.row .c-why', before, act },
    { name: 'lost-program', path: `/ui/programs/${ILL}`, ready: PART, before, act },
    {
      name: 'lost-manifest',
      path: `/ui/programs/${GOOD}?tab=manifest`,
      ready: '.editor[data-ready="true"]',
      before,
      act: type,
    },
    { name: 'lost-host', path: '/ui/host', ready: 'main h1', before, act },
  ];
}

const OF_EMPTY: Screen[] = [{ name: 'empty', path: '/ui', ready: '.ways' }];

// Each size has a tab of its own, and mostly waits for it.
describe('screens', { concurrency: SIZES.length }, () => {
  for (const size of SIZES)
    test(size.size, async () => {
      const findings = [
        ...(await look(host, OF_HOST, size)),
        ...(await look(away, OF_AWAY, size)),
        ...(await look(empty, OF_EMPTY, size)),
        ...(await lookAtLost(size)),
      ];
      assert.deepEqual(findings, []);
    });
});

async function lookAtLost(size: Size): Promise<string[]> {
  const lost = await startFakeServer(somePrograms());
  tellHistory(lost);
  await lost.shut();
  try {
    return await look(lost, ofLost(lost), size);
  } finally {
    await lost.shut();
  }
}

/** All findings of all screens at once. */
async function look(server: FakeServer, screens: readonly Screen[], size: Size): Promise<string[]> {
  const { page, faults, close } = await openPage(browser, server.url, size);
  const findings: string[] = [];
  try {
    for (const screen of screens) {
      await lookAt(page, screen, size).catch((error: Error) =>
        findings.push(`${screen.name}: ${error.message}`),
      );
      findings.push(...faults.splice(0).map((fault) => `${screen.name}: ${fault}`));
    }
  } finally {
    await close();
  }
  return findings;
}

async function lookAt(
  page: Page,
  { name, path, ready, before: prepare, act }: Screen,
  size: Size,
): Promise<void> {
  const where = `${name}-${size.size}`;
  const isWide = size.size === 'wide';
  // A theme is colours and nothing else: all rules are asked once for each size, and those of colours for each theme.
  const themes = isWide ? (['light', 'dark'] as const) : (['dark', 'light'] as const);
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: themes[0], reducedMotion: 'reduce' });
  await prepare?.();
  await openPath(page, path, ready);
  await act?.(page);
  await shoot(page, `${where}-${themes[0]}`);
  await assertUsable(page, `${where}, ${themes[0]}`);
  if (!isWhole) return;
  await page.emulateMedia({ colorScheme: themes[1], reducedMotion: 'reduce' });
  await shoot(page, `${where}-${themes[1]}`);
  await assertUsable(page, `${where}, ${themes[1]}`, ['color-contrast']);
  if (!isWide) return;
  for (const width of MORE_WIDTHS) {
    await page.setViewportSize({ ...size, width });
    await assertFits(page, `${name} at ${width} px`);
  }
}
