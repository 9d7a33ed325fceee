import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { Page } from 'playwright-core';
import { until } from '../e2e/until.ts';
import { shoot } from './browser.ts';
import { editorOf } from './editors.ts';
import { openStage, type Stage, sees, seesNoMore, untilPressable } from './stage.ts';

/** Everything by the keyboard alone: nothing here points or clicks. */

let stage: Stage;
const NAMES = ['alpha', 'beta', 'gamma'];

before(async () => {
  stage = await openStage('29940-29949');
  for (const name of NAMES) await stage.host.writeManifest(name);
  await Promise.all(NAMES.map((name) => stage.host.untilState(name, 'Ready')));
});

after(() => stage?.close());

/** The name of what has the focus, as it is read out; through the editor's shadow root. */
const focused = (page: Page) =>
  page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    if (at === null || at === document.body) return '';
    const label = at.getAttribute('aria-label') ?? (at as HTMLInputElement).labels?.[0]?.textContent;
    return (label ?? at.textContent ?? '').trim();
  });

async function untilFocused(page: Page, name: string | RegExp): Promise<void> {
  await until(
    `${name} has the focus`,
    async () => {
      const now = await focused(page);
      return typeof name === 'string' ? now === name : name.test(now);
    },
    async () => `${await focused(page)} has it`,
  );
}

/** Whether whoever looks at it sees where the focus is. */
const hasRing = (page: Page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    if (at === null || at === document.body) return false;
    // A field may show it at the box around it.
    for (let node: Element | null = at; node !== null && node !== at.parentElement?.parentElement; ) {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
      if ((outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2) || boxShadow !== 'none')
        return true;
      node = node.parentElement;
    }
    return false;
  });

/** More than any page has, twice. */
const TABS_MAX = 160;

async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let turn = 0; turn < TABS_MAX; turn++) {
    if (name.test(await focused(page))) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not lead to ${name}`);
}

/** Presses Tab through the whole page, and gives what had the focus in turn. */
async function tabThrough(page: Page): Promise<string[]> {
  const seen: string[] = [];
  for (let turn = 0; turn < TABS_MAX; turn++) {
    await page.keyboard.press('Tab');
    const name = await focused(page);
    if (name === '') break;
    seen.push(name);
    assert.ok(await hasRing(page), `it is not seen that ${name} has the focus`);
  }
  return seen;
}

const press = async (page: Page, ...keys: string[]) => {
  for (const key of keys) await page.keyboard.press(key);
};
const path = (page: Page) => `${new URL(page.url()).pathname}${new URL(page.url()).search}`;
const stateOf = async (name: string) => (await stage.host.get(name)).state;

it('finds, opens, restarts, stops and starts programs from the list', async () => {
  await stage.tell('/ui', async (page) => {
    await sees(page.getByRole('link', { name: 'gamma', exact: true }));
    await press(page, '/');
    await untilFocused(page, 'Search and filter programs');
    await page.keyboard.type('amm');
    await seesNoMore(page.getByRole('link', { name: 'alpha', exact: true }));
    assert.equal(path(page), '/ui?q=amm');
    await press(page, 'Escape', '0');
    await sees(page.getByRole('link', { name: 'alpha', exact: true }));

    await press(page, 'j');
    await untilFocused(page, 'alpha');
    await press(page, 'j', 'j', 'k');
    await untilFocused(page, 'beta');
    await shoot(page, 'keyboard-list');
    const before = await stage.host.get('beta');
    await press(page, 'r');
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'beta', exact: true }) });
    await sees(row, 'Restart is asked for');
    await stage.host.untilProgram(
      'beta',
      'is restarted',
      ({ state, container_id }) => state === 'Ready' && container_id !== before.container_id,
    );
    await press(page, 's');
    await sees(row, 'Stop is asked for');
    await sees(row, 'Stopped');
    assert.equal(await stateOf('beta'), 'Stopped');
    // Rows stay where they are while the focus is among them.
    await untilFocused(page, 'beta');
    await press(page, 's');
    await sees(row, 'Start is asked for');
    await stage.host.untilState('beta', 'Ready');

    await press(page, 'l');
    await sees(page.getByRole('log', { name: 'Output of beta' }), 'listening on 8080');
    await press(page, 'u');
    await sees(page.getByRole('table', { name: 'Programs' }));
    await sees(page.getByRole('link', { name: 'alpha', exact: true }));
    await press(page, 'j');
    await untilFocused(page, 'alpha');
    await press(page, 'Enter');
    await sees(page.getByRole('heading', { name: 'alpha' }));
    assert.equal(path(page), '/ui/programs/alpha');
  });
});

it('goes to every place and part, and tells its keys', async () => {
  await stage.tell('/ui', async (page) => {
    await sees(page.getByRole('link', { name: 'gamma', exact: true }));
    await press(page, 'g', 'h');
    await until('the host is shown', () => path(page) === '/ui/host');
    await sees(page.getByRole('heading', { level: 1 }), /./);
    await press(page, 'g', 'd');
    await sees(page.getByRole('heading', { name: 'Deploy', level: 1 }));
    await press(page, 'g', 'p');
    await sees(page.getByRole('table', { name: 'Programs' }));

    await press(page, '?');
    const keys = page.getByRole('dialog', { name: 'Keys' });
    await sees(keys, 'Search and filter');
    await shoot(page, 'keyboard-keys');
    await press(page, 'g', 'h', 'Escape');
    await seesNoMore(keys);
    assert.equal(path(page), '/ui');

    await sees(page.getByRole('link', { name: 'alpha', exact: true }));
    await press(page, 'j');
    await untilFocused(page, 'alpha');
    await press(page, 'Enter');
    await sees(page.getByRole('heading', { name: 'alpha' }));
    for (const [key, tab] of Object.entries({ 2: 'build', 3: 'events', 4: 'manifest', 5: 'revisions' })) {
      await press(page, key);
      await until(`${tab} is shown`, () => path(page) === `/ui/programs/alpha?tab=${tab}`);
    }
    await press(page, '1');
    await sees(page.getByRole('log', { name: 'Output of alpha' }));
    await press(page, '/');
    await untilFocused(page, 'Find in the log');
    // A letter in a field is a letter.
    await page.keyboard.type('s');
    assert.equal(await stateOf('alpha'), 'Ready');
  });
});

it('reaches every act by Tab, and it is seen where one is', async () => {
  await stage.tell('/ui', async (page) => {
    await sees(page.getByRole('link', { name: 'gamma', exact: true }));
    const list = await tabThrough(page);
    const acts = NAMES.flatMap((name) => [name, `Logs of ${name}`, `More for ${name}`]);
    const places = ['To the content', 'Programs', 'Deploy', 'Host', 'Keys', 'Search and filter programs'];
    for (const name of [...places, ...acts]) assert.ok(list.includes(name), `${name} of ${list}`);
    assert.deepEqual(
      list.filter((name) => acts.includes(name)),
      acts,
    );
    await page.goto('/ui/programs/alpha');
    await sees(page.getByRole('log'), 'listening on 8080');
    const program = await tabThrough(page);
    const there = ['Restart', 'Stop', 'More for alpha', 'Find in the log', 'Output of alpha'];
    for (const name of there) assert.ok(program.includes(name), `${name} of ${program}`);
  });
});

it('edits a manifest, and leaves the editor again', async () => {
  await stage.tell('/ui/programs/alpha', async (page) => {
    await sees(page.getByRole('heading', { name: 'alpha' }));
    await press(page, '4');
    await sees(page.getByText('As it stands in the registry.'));
    await sees(editorOf(page, 'Manifest of alpha'));
    await tabTo(page, /^Manifest of alpha\. Tab indents/);
    await press(page, 'Control+End');
    await page.keyboard.type('# r s l: letters');
    await press(page, 'Tab');
    await untilFocused(page, /^Manifest of alpha/);
    await press(page, 'Control+Enter');
    await sees(page.getByRole('button', { name: 'Apply' }));
    await until('its heading has the focus', async () => /lines? new/.test(await focused(page)));
    await press(page, 'Tab');
    await untilFocused(page, 'Back to the editor');
    await press(page, 'Enter');
    await untilFocused(page, /^Manifest of alpha/);
    await press(page, 'Escape', 'Tab');
    await until('the editor is left', async () => !/^Manifest/.test(await focused(page)));
    assert.equal(await stateOf('alpha'), 'Ready');
  });
});

it('walks a menu by arrows, and deletes by name', async () => {
  await stage.tell(
    '/ui',
    async (page) => {
      await sees(page.getByRole('link', { name: 'gamma', exact: true }));
      await press(page, 'j', 'j', 'j');
      await untilFocused(page, 'gamma');
      await tabTo(page, /^More for gamma$/);
      await press(page, 'Enter');
      await untilFocused(page, /^Logs/);
      await press(page, 'ArrowDown');
      await untilFocused(page, /^Build log/);
      await press(page, 'ArrowUp', 'ArrowUp');
      await untilFocused(page, /^Delete/);
      await shoot(page, 'keyboard-menu');
      await press(page, 'Escape');
      await untilFocused(page, 'More for gamma');
      await seesNoMore(page.getByRole('menu'));

      await press(page, 'Enter', 'End', 'Enter');
      const dialog = page.getByRole('dialog', { name: 'Delete gamma?' });
      await untilFocused(page, /^Type the name/);
      await untilPressable(dialog.getByRole('button', { name: 'Delete it' }), false);
      await press(page, 'Enter', 'Escape');
      await seesNoMore(dialog);
      await untilFocused(page, 'More for gamma');
      assert.equal(await stateOf('gamma'), 'Ready');

      await press(page, 'Enter', 'End', 'Enter');
      await untilFocused(page, /^Type the name/);
      await page.keyboard.type('gamma');
      await press(page, 'Tab', 'Tab');
      await untilFocused(page, 'Delete it');
      await press(page, 'Enter');
      await stage.host.untilGone('gamma');
      await sees(page.getByText('It is not there any more'));
      // Whoever works by keys goes on from there.
      await untilFocused(page, 'gamma');
      await press(page, 'k');
      await untilFocused(page, 'beta');
    },
    { mayRefuse: /^404 GET \/programs\/gamma\b/ },
  );
});
