import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { Program } from '../e2e/host.ts';
import { TEST_IMAGE } from '../setup/test-image.ts';
import { shoot } from './browser.ts';
import { editorOf, textIn, typeAnew } from './editors.ts';
import { openStage, type Stage, sees, seesNoMore, untilPressable } from './stage.ts';

/** From a folder on somebody's disk to Ready, and what is said where that does not go well. */

let stage: Stage;
let folders = '';

before(async () => {
  folders = mkdtempSync(join(tmpdir(), 'hersh-page-'));
  stage = await openStage('29900-29919');
});

after(async () => {
  await stage?.close();
  rmSync(folders, { recursive: true, force: true });
});

const dockerfile = (...lines: string[]) =>
  [`FROM ${TEST_IMAGE}`, `LABEL run=${stage.host.marker}`, ...lines, ''].join('\n');

/** A folder on the disk of who deploys. */
async function folder(name: string, files: Record<string, string>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folders, name, path)), { recursive: true });
    await writeFile(join(folders, name, path), text);
  }
  return join(folders, name);
}

async function choose(page: Page, path: string): Promise<void> {
  const asked = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await (await asked).setFiles(path);
}

const deployButton = (page: Page) => page.getByRole('button', { name: 'Deploy', exact: true });
const userField = (page: Page) => page.getByRole('textbox', { name: 'User', exact: true });
const outcome = (page: Page) => page.getByRole('region').filter({ has: page.locator('#happens-title') });

/** The one program of a user, as soon as the host says so too; each story has a user of its own. */
async function programOf(user: string, state: Program['state']): Promise<Program> {
  const { json } = await stage.host.call('GET', `/programs?user_id=${user}`);
  assert.equal(json.count, 1, JSON.stringify(json));
  return stage.host.untilState(json.programs[0].program_id, state);
}

/** The Dockerfile as it lies in the registry, where the manifest says. */
async function stored(name: string): Promise<string> {
  const manifest = await readFile(stage.host.path('programs', `${name}.yaml`), 'utf8');
  const context = /context: *(\S+)/.exec(manifest)?.[1] ?? assert.fail(manifest);
  return readFile(stage.host.path(context, 'Dockerfile'), 'utf8');
}

it('deploys a folder, and shows where it serves', async () => {
  const path = await folder('counter', {
    Dockerfile: dockerfile('COPY notes.txt /notes.txt'),
    'notes.txt': 'of no use\n',
    'lib/part.txt': 'neither\n',
  });
  await stage.tell('/ui/deploy', async (page) => {
    await choose(page, path);
    const files = page.getByRole('group', { name: 'Files' });
    await sees(files.getByRole('button', { name: 'lib/part.txt' }));
    await untilPressable(deployButton(page), false);
    await userField(page).fill('ana');
    await shoot(page, 'deploy-chosen');
    await deployButton(page).click();
    await sees(page.getByRole('heading', { name: 'Ready', exact: true }));
    const program = await programOf('ana', 'Ready');
    const link = page.getByRole('link', { name: new URL(program.proxy_url).host });
    assert.equal(await link.getAttribute('href'), program.proxy_url);
    assert.equal((await stage.host.direct(program, '/')).text, 'hersh test server\n');
    assert.equal(await stored(program.program_id), dockerfile('COPY notes.txt /notes.txt'));
    await shoot(page, 'deploy-ready');
    await page.getByRole('link', { name: 'Open it' }).click();
    await sees(page.getByRole('heading', { name: program.program_id }));
    assert.equal(new URL(page.url()).pathname, `/ui/programs/${program.program_id}`);
  });
});

it('shows the step and the line at which a build failed, and builds what was mended', async () => {
  const broken = dockerfile('ENV GREETING=hello', 'COPY not-there.txt /there.txt');
  const path = await folder('broken', { Dockerfile: broken });
  await stage.tell('/ui/deploy', async (page) => {
    await choose(page, path);
    await userField(page).fill('bo');
    await deployButton(page).click();
    await sees(page.getByRole('heading', { name: 'The build failed' }));
    await sees(outcome(page), /line 4 of the Dockerfile/);
    await sees(outcome(page), /not-there\.txt/);
    const failed = await programOf('bo', 'Error');
    assert.equal(failed.reason, 'BuildFailed');
    await shoot(page, 'deploy-failed');

    // What was typed is there, and the line is shown in it.
    await page.getByRole('button', { name: 'Show line 4' }).click();
    const editor = editorOf(page, 'Dockerfile');
    await sees(editor.locator('.cm-problem'), /COPY not-there\.txt \/there\.txt.*the build failed here/);
    assert.equal(await textIn(editor), broken);
    await typeAnew(editor, broken.replace(/COPY.*\n/, ''));
    await page.getByRole('button', { name: 'Send it again' }).click();
    await sees(page.getByRole('heading', { name: 'Ready', exact: true }));
    const mended = await programOf('bo', 'Ready');
    assert.equal(mended.program_id, failed.program_id);
    assert.match((await stage.host.direct(mended, '/env')).text, /^GREETING=hello$/m);
    assert.doesNotMatch(await stored(mended.program_id), /COPY/);
    await seesNoMore(page.getByRole('heading', { name: 'The build failed' }));
    await shoot(page, 'deploy-mended');
  });
});

it('refuses a folder without a Dockerfile before anything is sent', async () => {
  const path = await folder('bare', { 'main.go': 'package main\n', 'docs/read.md': 'read me\n' });
  await stage.tell('/ui/deploy', async (page) => {
    const sent: string[] = [];
    page.on('request', (request) => request.method() !== 'GET' && sent.push(request.url()));
    await choose(page, path);
    const checks = page.getByRole('list', { name: 'Checked before it is sent' });
    await sees(checks, /There is no Dockerfile at the top of the folder/);
    await userField(page).fill('cy');
    await untilPressable(deployButton(page), false);
    await sees(page.getByText('First mend what is marked above.'));
    await page.keyboard.press('Control+Enter');
    await shoot(page, 'deploy-no-dockerfile');

    // What it offers mends it.
    await checks.getByRole('button', { name: 'Write one' }).click();
    await untilPressable(deployButton(page));
    await sees(editorOf(page, 'Dockerfile'), /FROM /);
    assert.deepEqual(sent, []);
    assert.equal((await stage.host.call('GET', '/programs?user_id=cy')).json.count, 0);
  });
});

it('shows what a program that keeps exiting printed last, and serves again after a mend', async () => {
  const exiting = dockerfile('ENV EXIT=7');
  const path = await folder('exits', { Dockerfile: exiting });
  await stage.tell('/ui/deploy', async (page) => {
    await choose(page, path);
    await userField(page).fill('di');
    await deployButton(page).click();
    await sees(outcome(page).getByRole('heading', { name: /keeps exiting/ }));
    await sees(outcome(page), /exiting as told by EXIT/);
    const failed = await programOf('di', 'Error');
    assert.equal(failed.reason, 'CrashLoopBackOff');
    await shoot(page, 'deploy-exits');

    await typeAnew(editorOf(page, 'Dockerfile'), exiting.replace('ENV EXIT=7', 'ENV MENDED=1'));
    await deployButton(page).click();
    await sees(page.getByRole('heading', { name: 'Ready', exact: true }));
    const mended = await programOf('di', 'Ready');
    assert.equal(mended.program_id, failed.program_id);
    assert.match((await stage.host.direct(mended, '/env')).text, /^MENDED=1$/m);
    await shoot(page, 'deploy-serves-again');
  });
});
