import { execFile } from 'node:child_process';
import { codeOf } from '../../../schemas/errors.ts';

/** Runs a command of this machine. Gives its code, 127 where there is none of that name, and all that it said. */
export type RunCommand = (argv: readonly string[]) => Promise<{ code: number; output: string }>;

const MS_MAX = 10_000;

export const runCommand: RunCommand = ([file = '', ...args]) =>
  new Promise((resolve) => {
    execFile(file, args, { timeout: MS_MAX, encoding: 'utf8' }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      if (error === null) return resolve({ code: 0, output });
      if (['ENOENT', 'EACCES'].includes(codeOf(error))) return resolve({ code: 127, output: error.message });
      resolve({ code: typeof error.code === 'number' ? error.code : 1, output });
    });
  });
