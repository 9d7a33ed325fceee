import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { fakeAccess } from '../api/access/fake-access.ts';
import { fakeView } from '../api/fake-view.ts';
import { assertUsable, openBrowser, openPage } from './browser.ts';
import { startFakeServer } from './fake-server.ts';
import { sees, seesNoMore } from './stage.ts';

let browser: Browser;

before(async () => {
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
});

test('a host that asks for a token shows its user’s programs to whoever has one, until they sign out', async (t) => {
  const access = fakeAccess();
  const views = [fakeView('alices', { userId: 'alice' }), fakeView('bobs', { userId: 'bob' })];
  const server = await startFakeServer(views, access);
  t.after(() => server.shut());
  const { token, stored } = access.make({ role: 'user', userId: 'alice' });
  const { page, faults, close } = await openPage(browser, server.url);
  t.after(close);
  await page.goto('/ui?q=s');
  const field = page.getByLabel('Token', { exact: true });
  await sees(field);
  await assertUsable(page, 'the sign-in');
  assert.equal(await page.locator('.live').count(), 0, 'nothing is said of what is not to be seen');
  assert.equal(await page.getByText('alices').count(), 0);

  await field.fill('hersh_nonsense');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await sees(page.getByRole('alert'), 'the token is not valid');
  await field.fill(` ${token} `);
  await page.keyboard.press('Enter');
  await sees(page.getByRole('link', { name: 'alices' }).first());
  assert.equal(page.url(), `${server.url}/ui?q=s`);
  assert.equal(await page.getByText('bobs').count(), 0);
  const kept = JSON.stringify(await page.evaluate('({ ...localStorage, cookie: document.cookie })'));
  assert.ok(!kept.includes(token) && !kept.includes('hersh_session_'), 'what scripts can read');

  await page.reload();
  await sees(page.getByRole('link', { name: 'alices' }).first());
  await page.goto('/ui/host');
  await sees(page.getByText('The host does not tell of itself'));
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await sees(field);

  await field.fill(token);
  await page.keyboard.press('Enter');
  await sees(page.getByRole('link', { name: 'alices' }).first());
  access.revoke(stored.id);
  await sees(field);
  await seesNoMore(page.getByRole('link', { name: 'alices' }).first());
  assert.deepEqual(faults, []);
});
