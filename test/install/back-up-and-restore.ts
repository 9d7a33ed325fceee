import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { ROOT } from '../setup/host-settings.ts';
import type { Say } from '../setup/say.ts';
import { commandsOf, type Machine, moveFolder } from './machine.ts';
import { count, isHealthy } from './package-steps.ts';

const PAGE = join(ROOT, 'docs', 'backup.md');
/** Where the page puts a backup. */
const FOLDER = '/var/backups/hersh-host';

/** The page's own commands, typed on one machine and then on another that has nothing. */
export async function backUpAndRestore(say: Say, from: Machine, to: Machine, deb: string): Promise<void> {
  const counts = { counter: await count(from, 'counter', 0), other: await count(from, 'other', 0) };
  say('docs/backup.md: back up');
  await from.run(`set -e; ${commandsOf(PAGE, 'Back up')}`);
  await from.run('hershctl wait counter other --for=Ready --timeout 300s');
  say(await from.run(`ls -s ${FOLDER}`));

  say('docs/backup.md: restore on another machine');
  await to.copyIn(deb, '/srv/');
  await to.run(`apt-get install -y /srv/${basename(deb)}`);
  await isHealthy(to);
  await moveFolder(from, to, FOLDER);
  await to.run(`set -e; ${commandsOf(PAGE, 'Restore')}`);
  await to.run('hershctl wait counter other --for=Ready --timeout 300s');
  assert.deepEqual(
    { counter: await count(to, 'counter', 0), other: await count(to, 'other', 0) },
    counts,
    'what they had kept is there',
  );
  const history = await to.run('hershctl history counter');
  assert.match(history, /\b1\b/, 'and so is their history');
}
