import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tellSupervisor } from '../../controller/tell-supervisor.ts';
import { tempFolder } from '../registry/folder.ts';

test('systemd is told where it asks to be, and nobody otherwise', async (t) => {
  const folder = await tempFolder(t);
  const said = join(folder, 'said');
  await writeFile(
    join(folder, 'systemd-notify'),
    `#!/bin/sh\necho "$@" "$NOTIFY_SOCKET" > ${said}; exit 3\n`,
  );
  await chmod(join(folder, 'systemd-notify'), 0o755);
  const env = { PATH: `${folder}:${process.env.PATH ?? ''}` };
  tellSupervisor(env, assert.fail);
  const trouble = await new Promise<string>((resolve) =>
    tellSupervisor({ ...env, NOTIFY_SOCKET: '/run/its/socket' }, resolve),
  );
  assert.equal(await readFile(said, 'utf8'), '--ready /run/its/socket\n');
  assert.match(trouble, /ended with 3/);
});

test('a machine without the command is told of, and goes on', async (t) => {
  const env = { PATH: await tempFolder(t), NOTIFY_SOCKET: '/run/its/socket' };
  assert.match(await new Promise<string>((resolve) => tellSupervisor(env, resolve)), /systemd-notify/);
});
