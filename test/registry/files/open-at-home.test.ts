import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isWithin } from '../../../registry/files/is-within.ts';
import { LedElsewhere, openAtHome, readAtHome } from '../../../registry/files/open-at-home.ts';

async function createFolders(t: TestContext) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'hersh-home-')));
  t.after(() => rm(root, { recursive: true, force: true }));
  const [home, other] = [join(root, 'home'), join(root, 'other')];
  for (const folder of [join(home, 'in'), other]) await mkdir(folder, { recursive: true });
  await writeFile(join(home, 'in/a'), 'mine');
  await writeFile(join(other, 'a'), 'not mine');
  const isOut = (real: string) => !isWithin(home, real);
  return { home, other, isOut };
}

test('a file within bounds is read, through links too where they are followed', async (t) => {
  const { home, isOut } = await createFolders(t);
  await symlink('in/a', join(home, 'link'));
  assert.equal(await readAtHome(join(home, 'in/a'), isOut, 100), 'mine');
  assert.equal(await readAtHome(join(home, 'link'), isOut, 100), 'mine');
  await assert.rejects(openAtHome(join(home, 'link'), isOut), LedElsewhere);
});

test('what leads out is not read, whichever part of the path leads there', async (t) => {
  const { home, other, isOut } = await createFolders(t);
  await symlink(join(other, 'a'), join(home, 'link'));
  await assert.rejects(readAtHome(join(home, 'link'), isOut, 100), /leads out of the registry/);
  await rename(join(home, 'in'), join(home, 'was'));
  await symlink(other, join(home, 'in'));
  // The last part is a plain file; the folder above it is another one by now.
  await assert.rejects(openAtHome(join(home, 'in/a'), isOut), /leads out of the registry by now/);
});

test('what is no plain file, or too long, is not read, and what is not there says so', async (t) => {
  const { home, isOut } = await createFolders(t);
  await assert.rejects(openAtHome(join(home, 'in'), isOut), LedElsewhere);
  await assert.rejects(readAtHome(join(home, 'in/a'), isOut, 3), LedElsewhere);
  await assert.rejects(readAtHome(join(home, 'nothing'), isOut, 3), { code: 'ENOENT' });
});
