import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from '../files/is-there.ts';
import type { GitResult, GitRun, GitRunOptions } from './run.ts';

/** In the git folder while a branch is fetched in steps, since all at once did not get through. */
const STEPS_NOTE = 'hersh-fetch-steps';
/** It says how far it is, so that one that goes on is told from one that hangs. */
const FETCH = ['fetch', '--progress', '--no-tags', '--no-write-fetch-head'];
/** How git 2.39 speaks of a transfer that broke off. */
const BROKE_OFF = /early EOF|unexpected disconnect|hung up unexpectedly|index-pack failed|RPC failed/;

export interface FetchRequest {
  run: GitRun;
  /** Shared by all work trees. */
  commonDir: string;
  /** Name of the remote, and what is to be kept where. */
  what: readonly [remote: string, refspec: string];
  options: Pick<GitRunOptions, 'config' | 'silenceMs'>;
}

/**
 * Fetches a branch with all its history. git throws away what came of a transfer that broke off: so the next one goes
 * in steps, first the newest commit alone and then more and more of those before, and each step is kept. A code other
 * than 0 where not all of it is there yet.
 */
export async function fetchWhole(request: FetchRequest): Promise<GitResult> {
  const note = join(request.commonDir, STEPS_NOTE);
  const isShallow = () => isThere(join(request.commonDir, 'shallow'));
  const fetch = (...depth: string[]) => request.run([...FETCH, ...depth, ...request.what], request.options);

  if (!(await isThere(note))) {
    const all = await fetch();
    // A repository that somebody made shallow stays as they made it.
    if (!isCutOff(all) || (await isShallow())) return all;
    await writeFile(note, '');
  }
  if (!(await isShallow())) {
    const newest = await fetch('--depth=1');
    if (newest.code !== 0) {
      // Not every server can do that.
      if (!isCutOff(newest)) await rm(note, { force: true });
      return newest;
    }
  }
  let last: GitResult = { code: 0, stdout: '', stderr: '' };
  for (let commits = 1; await isShallow(); commits *= 2) {
    last = await fetch(`--deepen=${commits}`);
    if (last.code !== 0) return last;
  }
  await rm(note, { force: true });
  return last;
}

function isCutOff({ code, stderr }: GitResult): boolean {
  return code === 124 || (code !== 0 && BROKE_OFF.test(stderr));
}
