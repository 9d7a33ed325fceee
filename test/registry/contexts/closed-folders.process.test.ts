import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../setup/host-settings.ts';
import { start } from './stage.ts';

/** Looks as somebody to whom not all is open: root reads what it likes. */
function lookAsNobody(root: string): string {
  const code = `
    if (process.getuid() === 0) process.setuid(65534);
    const { openContexts } = await import('${ROOT}/registry/contexts/contexts.ts');
    const contexts = openContexts('${root}', '', () => Date.now() + 60_000);
    const build = { context: 'sources/a', dockerfile: 'Dockerfile', args: {} };
    console.log(await contexts.look(build).then(({ buildId }) => buildId, ({ message }) => message));
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  return execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

test('a folder that can not be read fails the build, unless it is left out', async (t) => {
  const { root, folder } = await start(t, { 'closed/x': '', '.dockerignore': 'x\n' });
  await chmod(root, 0o755);
  await chmod(join(folder, 'closed'), 0);
  try {
    assert.match(lookAsNobody(root), /^sources\/a can not be read: EACCES.*closed/);
    for (const rules of ['closed\n', '*\n!**/y\n']) {
      await writeFile(join(folder, '.dockerignore'), rules);
      assert.match(lookAsNobody(root), /^build-/, rules);
    }
  } finally {
    // Who is not root could not take it away.
    await chmod(join(folder, 'closed'), 0o755);
  }
});
