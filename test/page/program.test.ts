import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { Program } from '../e2e/host.ts';
import { TEST_IMAGE } from '../setup/test-image.ts';
import { shoot } from './browser.ts';
import { editorOf, textIn, typeAtEnd } from './editors.ts';
import { openStage, type Stage, sees, seesNoMore, untilPressable } from './stage.ts';

/** A program's page while things happen: what is seen, what is done there, and what comes of it. */

let stage: Stage;

before(async () => {
  stage = await openStage('29920-29939');
});

after(() => stage?.close());

/** As a person writes one, with words of their own in it. */
const manifest = (name: string, ...lines: string[]) =>
  [
    'apiVersion: hersh.dev/v1',
    'kind: Program',
    `metadata: {name: ${name}}`,
    'spec:',
    '  # Ask Eve before you change this.',
    '  userId: eve',
    `  image: ${TEST_IMAGE} # the one of the tests`,
    '  stopGracePeriodSeconds: 1',
    '  readiness: {path: /watcher/status, periodSeconds: 0.2}',
    ...lines,
    '',
  ].join('\n');

/** Writes the manifest as somebody at the machine would. */
const write = (name: string, ...lines: string[]) =>
  stage.host.writeFile(`programs/${name}.yaml`, manifest(name, ...lines));
const stored = (name: string) => readFile(stage.host.path('programs', `${name}.yaml`), 'utf8');

async function running(name: string, ...lines: string[]): Promise<Program> {
  await write(name, ...lines);
  return stage.host.untilState(name, 'Ready');
}

const at = (name: string, tab = '') => `/ui/programs/${name}${tab === '' ? '' : `?tab=${tab}`}`;
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
/** Name, state, acts, and what came of the last one. */
const head = (page: Page) => page.locator('.program-head');
const news = (page: Page) => page.locator('#news');
const editor = (page: Page, name: string) => editorOf(page, `Manifest of ${name}`);

it('shows a crash and how it heals, as they come, and what was printed last', async () => {
  const program = await running('crashes');
  const crash = async () => {
    const { status } = await stage.host.direct(program, '/crash?code=7', { method: 'POST' });
    assert.equal(status, 200);
  };
  const healed = (crashes: number) =>
    stage.host.untilProgram(
      'crashes',
      'is well again',
      ({ state, restart_count }) => state === 'Ready' && restart_count === crashes,
    );
  await stage.tell(at('crashes'), async (page) => {
    await sees(head(page), 'Ready');
    await sees(page.getByRole('main'), /Restarts\s*0/);
    // The first one is started again at once, and those after it later and later.
    for (const crashes of [1, 2]) {
      await crash();
      await healed(crashes);
    }
    await crash();
    const trouble = page.getByRole('region', { name: /exit code 7/ });
    await sees(trouble, /By itself: Started again|It is tried once more now/);
    await sees(trouble, 'crash asked for');
    await shoot(page, 'program-crash');
    const { conditions } = await healed(3);
    assert.equal(conditions.find(({ type }) => type === 'Ready')?.status, 'True');
    await seesNoMore(trouble);
    await sees(page.getByRole('main'), /Restarts\s*3/);
    await sees(head(page), 'Ready');
    await sees(news(page), /nothing is wrong any more/);
  });
});

it('stops and starts by its button, and says beside it what came of that', async () => {
  await running('turns');
  await stage.tell(at('turns'), async (page) => {
    await button(page, 'Stop').click();
    await sees(head(page), 'Stop is asked for');
    await sees(head(page), 'Stopped');
    assert.equal((await stage.host.get('turns')).state, 'Stopped');
    assert.match(await stored('turns'), /desiredState: Stopped/);
    await seesNoMore(button(page, 'Restart'));
    await shoot(page, 'program-stopped');
    await button(page, 'Start').click();
    await sees(head(page), 'Start is asked for');
    await sees(head(page), 'Ready');
    const program = await stage.host.untilState('turns', 'Ready');
    assert.equal((await stage.host.direct(program, '/')).status, 200);
    await sees(button(page, 'Restart'));
  });
});

it('edits a manifest: a problem at its line, mended, reviewed, applied; comments stay', async () => {
  const before = await running('edited');
  await stage.tell(at('edited', 'manifest'), async (page) => {
    await sees(page.getByText('As it stands in the registry.'));
    await untilPressable(button(page, 'Review the change'), false);
    await typeAtEnd(editor(page, 'edited'), '  envv:\n    GREETING: hello\n');
    const problems = page.getByRole('list', { name: 'Problems' });
    await sees(problems, /envv.*did you mean env\?/);
    await sees(problems.getByRole('button', { name: 'Go to line 10' }));
    await sees(page.locator('.cm-problem', { hasText: 'envv:' }));
    await untilPressable(button(page, 'Review the change'), false);
    await sees(page.getByText('1 problem. The last valid manifest stays in force.'));
    await shoot(page, 'manifest-problem');
    assert.equal(await stored('edited'), manifest('edited'));

    await problems.getByRole('button', { name: /^Make it env/ }).click();
    await untilPressable(button(page, 'Review the change'));
    await button(page, 'Review the change').click();
    const change = page.getByRole('group', { name: 'The change of programs/edited.yaml' });
    await sees(change, 'GREETING: hello');
    await sees(page.getByRole('heading', { name: 'What will be done' }));
    await sees(page.getByRole('listitem').filter({ hasText: /^create / }));
    await shoot(page, 'manifest-review');
    assert.equal(await stored('edited'), manifest('edited'));

    await button(page, 'Apply').click();
    await sees(head(page), 'The manifest is replaced');
    const after = await stage.host.untilProgram(
      'edited',
      'runs what was applied',
      ({ state, container_id }) => state === 'Ready' && container_id !== before.container_id,
    );
    assert.match((await stage.host.direct(after, '/env')).text, /^GREETING=hello$/m);
    assert.equal(await stored('edited'), manifest('edited', '  env:', '    GREETING: hello'));
    await sees(page.getByText('As it stands in the registry.'));
  });
});

it('keeps what is typed when somebody else changes the manifest, and puts it on theirs', async () => {
  await running('shared');
  await stage.tell(at('shared', 'manifest'), async (page) => {
    await sees(page.getByText('As it stands in the registry.'));
    await typeAtEnd(editor(page, 'shared'), '  env: {MINE: "1"}\n');
    await untilPressable(button(page, 'Review the change'));
    const theirs = manifest('shared').replace('GracePeriodSeconds: 1', 'GracePeriodSeconds: 2');
    await stage.host.writeFile('programs/shared.yaml', theirs);
    const band = page.getByRole('region', { name: 'It changed since you opened it' });
    await sees(band, 'Your text is kept, and was not applied.');
    await sees(editor(page, 'shared'), 'MINE');
    await untilPressable(button(page, 'Review the change'), false);
    await button(page, 'Show both').click();
    await sees(page.getByRole('group', { name: 'What they changed' }), 'stopGracePeriodSeconds: 2');
    await sees(page.getByRole('group', { name: 'What you changed' }), 'MINE');
    await shoot(page, 'manifest-stale');
    assert.equal(await stored('shared'), theirs);

    await button(page, 'Put my change on theirs').click();
    await seesNoMore(band);
    await button(page, 'Review the change').click();
    await button(page, 'Apply').click();
    await sees(head(page), 'The manifest is replaced');
    assert.equal(await stored('shared'), `${theirs}  env: {MINE: "1"}\n`);
  });
});

it('rolls back beside a revision', async () => {
  await running('back', '  env: {AGE: old}');
  await write('back', '  env: {AGE: new}');
  await stage.host.untilProgram('back', 'is at 2', (one) => one.state === 'Ready' && one.revision === 2);
  await stage.tell(at('back', 'revisions'), async (page) => {
    await sees(page.getByRole('group', { name: /^From r1 to r2/ }), 'AGE: new');
    await shoot(page, 'revisions');
    await button(page, 'Roll back to r1').click();
    const dialog = page.getByRole('dialog', { name: 'Roll back back to revision 1?' });
    await sees(dialog, 'Its manifest is edited');
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await sees(head(page), 'A roll back to r1 is asked for');
    const program = await stage.host.untilProgram(
      'back',
      'is at 3',
      (one) => one.state === 'Ready' && one.revision === 3,
    );
    assert.match((await stage.host.direct(program, '/env')).text, /^AGE=old$/m);
    assert.match(await stored('back'), /AGE: old/);
    assert.match(await stored('back'), /# Ask Eve before you change this\./);
    await sees(page.getByRole('list', { name: 'Revisions, the newest first' }), /r3/);
    await sees(button(page, 'Roll back to r2'));
  });
});

it('shows a log as it comes, finds in it, and stands still when asked', async () => {
  const program = await running('talks');
  const print = (text: string) =>
    stage.host.direct(program, `/log?text=${encodeURIComponent(text)}`).then(({ status }) => {
      assert.equal(status, 200);
    });
  await stage.tell(at('talks'), async (page) => {
    const log = page.getByRole('log', { name: 'Output of talks' });
    await sees(log, 'listening on 8080');
    await sees(button(page, 'Following'));
    for (let n = 1; n <= 60; n++) await print(`tick-${n}-${n % 20 === 0 ? 'odd' : 'even'}`);
    await sees(log, 'tick-60-odd');
    await page.getByRole('searchbox', { name: 'Find in the log' }).fill('odd');
    await sees(page.locator('.hits'), '3');
    await page.keyboard.press('Enter');
    await sees(page.locator('.hits'), /of 3/);
    await shoot(page, 'logs-found');

    // Who looks at a hit is not taken from it by what comes.
    await sees(button(page, 'Standing still'));
    const top = await log.evaluate((box) => box.scrollTop);
    await print('and-one-more');
    await button(page, '1 new line ↓').waitFor();
    assert.equal(await log.evaluate((box) => box.scrollTop), top);
    await button(page, '1 new line ↓').click();
    await sees(button(page, 'Following'));
    const { text } = await stage.host.call('GET', '/programs/talks/logs?tail=1');
    assert.match(text, /and-one-more/);
  });
});

it('deletes by name, and not before that is typed', async () => {
  await running('leaves');
  await stage.tell(
    at('leaves'),
    async (page) => {
      await button(page, 'More for leaves').click();
      await page.getByRole('menuitem', { name: 'Delete…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Delete leaves?' });
      const yes = dialog.getByRole('button', { name: 'Delete it' });
      await untilPressable(yes, false);
      await dialog.getByRole('textbox').fill('leave');
      await untilPressable(yes, false);
      assert.equal((await stage.host.get('leaves')).state, 'Ready');
      await dialog.getByRole('textbox').fill('leaves');
      await shoot(page, 'delete');
      await yes.click();
      await sees(page.getByRole('heading', { name: 'No such program' }));
      await stage.host.untilGone('leaves');
      assert.equal(existsSync(stage.host.path('programs', 'leaves.yaml')), false);
      await page.getByRole('main').getByRole('link', { name: 'All programs' }).click();
      await sees(page.getByRole('table', { name: 'Programs' }));
      assert.equal(await page.getByRole('link', { name: 'leaves' }).count(), 0);
    },
    // What was asked for while it went.
    { mayRefuse: /^404 GET \/programs\/leaves\b/ },
  );
});

it('says when the host is away, and goes on with it by itself; what is typed stays', async () => {
  await running('waits');
  await stage.tell(at('waits', 'manifest'), async (page) => {
    await sees(page.getByText('As it stands in the registry.'));
    await typeAtEnd(editor(page, 'waits'), '  env: {KEPT: "1"}\n');
    await stage.host.kill();
    await sees(page.getByRole('banner'), /Not live: as of .*, trying again/);
    await shoot(page, 'host-away');
    await sees(head(page), 'Ready');
    await button(page, 'Stop').click();
    await sees(head(page), /answer|reach/);
    await stage.hostAgain();
    await sees(page.getByRole('banner').getByText('Live', { exact: true }));
    assert.equal((await stage.host.call('POST', '/programs/waits/stop')).status, 200);
    await sees(head(page), 'Stopped');
    const isKept = async () => (await textIn(editor(page, 'waits'))).includes('KEPT');
    assert.ok(await isKept());
    // The stop is a change of the manifest that somebody else made.
    await button(page, 'Put my change on theirs').click();
    await untilPressable(button(page, 'Review the change'));
    assert.ok(await isKept());
    assert.doesNotMatch(await stored('waits'), /KEPT/);
  });
});
