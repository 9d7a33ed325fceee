import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../schemas/errors.ts';
import type { GitHead } from './head.ts';
import { isHeldByLiving, livesIn } from './lock-holder.ts';
import { createOwedSubmodules } from './owed-submodules.ts';
import type { GitResult, GitRun } from './run.ts';
import { differing, MOVE_SILENCE_MS, type MoveNote, undoMove } from './undo-move.ts';

/** In the git folder while the host moves the files; what stands there at a start was cut off. */
const NOTE = 'hersh-move';
/** Each of these may be left with a git that had no time to remove it. */
const LOCKS = ['index.lock', 'HEAD.lock'];

/** Moves HEAD, index and files to a commit that follows on HEAD, all or nothing. */
export interface Mover {
  /** A move is under way, or one that was cut off is not taken back yet: the files are those of no commit. */
  isUnderWay(): boolean;
  /** The same, or submodules are just being brought, or owed. */
  isMoving(): boolean;
  /** Whether a host, maybe one before this, moved HEAD and ended before its submodules were brought. */
  owesSubmodules(): boolean;
  /**
   * Takes back what a move that was cut off had written, and nothing that somebody else wrote meanwhile. Never rejects.
   * @returns why it has to wait, or has to be tried again, or `""`
   */
  takeBack(): Promise<string>;
  /**
   * Brings submodules to the commits that HEAD names.
   * @param config see `bringSubmodules`
   * @returns which can not be brought and why, or `""`
   */
  bring(config?: Readonly<Record<string, string>>): Promise<string>;
  /** What git said of it; a code other than 0 where nothing moved. Submodules stay behind until they are brought. */
  move(from: string, to: string): Promise<GitResult>;
}

/**
 * @param top of the work tree
 * @param run git there
 * @param readHead HEAD as it is now
 * @param ends when it is aborted, git ends: what fails then has not been tried
 */
export function createMover(
  top: string,
  gitDir: string,
  run: GitRun,
  readHead: () => Promise<Pick<GitHead, 'id'>>,
  ends: AbortSignal,
): Mover {
  const notePath = join(gitDir, NOTE);
  const owed = createOwedSubmodules(top, gitDir, run, ends);
  // Until it is known that nothing was cut off.
  let underWay = true;
  let running: Promise<string> | undefined;

  async function end(): Promise<void> {
    await rm(notePath, { force: true });
    underWay = false;
  }

  async function takeBackNow(wasCutOff: boolean): Promise<string> {
    const note = await readNote(notePath);
    if (note === undefined) {
      if (wasCutOff && !owed.are()) await owed.takeOver((await readHead()).id);
      await end();
      return '';
    }
    underWay = true;
    if (await isHeldByLiving(join(gitDir, 'index.lock'))) return 'git is still at work in the registry';
    if (wasCutOff && !(await removeLocks(top, gitDir, notePath))) return 'a git still runs in the registry';
    const isMoved = (await readHead()).id === note.to;
    if (isMoved) await owed.since(note.to);
    const why = isMoved ? '' : await undoMove(top, run, note);
    if (why === '') await end();
    return why;
  }

  function takeBack(wasCutOff: boolean): Promise<string> {
    running ??= takeBackNow(wasCutOff)
      // A file that can not be read or removed now may be at the next try.
      .catch(messageOf)
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  return {
    isUnderWay: () => underWay,
    isMoving: () => underWay || owed.areAwaited(),
    owesSubmodules: owed.are,
    takeBack: () => takeBack(true),
    bring: owed.bring,
    async move(from, to) {
      const dirty = await differing(run);
      if (dirty === undefined) return { code: 1, stdout: '', stderr: 'git status fails' };
      underWay = true;
      try {
        await writeFile(notePath, JSON.stringify({ from, to, dirty: [...dirty.keys()] } satisfies MoveNote));
      } catch (error) {
        // Nothing was begun, so nothing has to wait.
        await end().catch(() => undefined);
        return { code: 1, stdout: '', stderr: `${notePath} can not be written: ${messageOf(error)}` };
      }
      // What git ignores is somebody's all the same: status/ and data/ first of all.
      const options = ['--ff-only', '--no-autostash', '--no-overwrite-ignore', '--progress'];
      const result = await run(['merge', ...options, to], { silenceMs: MOVE_SILENCE_MS });
      const isMoved = (await readHead()).id === to;
      // What takes the note away notes first that submodules are owed: in no pause between are the files taken up.
      await takeBack(result.code !== 0);
      return isMoved ? { ...result, code: 0 } : { ...result, code: result.code || 1 };
    },
  };
}

async function readNote(path: string): Promise<MoveNote | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    const note = JSON.parse(text) as MoveNote;
    return typeof note.to === 'string' && Array.isArray(note.dirty) ? note : undefined;
  } catch {
    // Not written whole: then nothing was begun.
    return undefined;
  }
}

/**
 * Removes what a git of the host left that had no time to clean up; a lock from before the move is somebody else's.
 * @returns false where there is one that a git which lives may hold
 */
async function removeLocks(top: string, gitDir: string, note: string): Promise<boolean> {
  const noted = await stat(note).catch(() => undefined);
  for (const path of LOCKS.map((name) => join(gitDir, name))) {
    const lock = await stat(path).catch(() => undefined);
    if (lock === undefined || noted === undefined) continue;
    if (lock.uid !== noted.uid || lock.mtimeMs < noted.mtimeMs) continue;
    if (await livesIn(top)) return false;
    await rm(path, { force: true });
  }
  return true;
}
