/** `npm run test:git`: what Debian 12's git does not know, with the git of a newer suite. */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { runCommand } from '../setup/command.ts';
import { ROOT } from '../setup/host-settings.ts';
import { makeSay, reportAndExit } from '../setup/say.ts';
import { ensureUnpackedGit } from './unpacked-git.ts';

/** Its git is 2.47 in November 2026; reftable came with 2.45. */
const SUITE = 'trixie';

const say = makeSay();
try {
  const bin = await ensureUnpackedGit(say, SUITE);
  say(`On ${(await runCommand([join(bin, 'git'), '--version'])).output.trim()}`);
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--test', '--test-reporter=spec', 'test/other-git/reftable.ts'],
    {
      cwd: ROOT,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  reportAndExit(error);
}
