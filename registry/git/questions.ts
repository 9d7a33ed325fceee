import { type Listed, listed, pathOf } from './listed.ts';
import { type GitRun, wordsOf } from './run.ts';

/** A commit, and the name of who made it. */
export interface Change {
  commit: string;
  author: string;
}

/** What git is asked at once, each time anew. */
export interface GitQuestions {
  /** Whether everything in that folder is in HEAD, unchanged. */
  isClean(folder: string): Promise<boolean>;
  /** Whether git leaves that folder out: nothing in it is tracked, and it is ignored. */
  ignores(folder: string): Promise<boolean>;
  /**
   * Whether git has that path itself, and not only what lies in it: in the index, or in HEAD. Undefined where there is
   * no repository; rejects where git does not say.
   * @param folder where it is asked, absolute and free of links: beyond a link, or in a submodule, the git out here
   * knows of nothing
   * @param path relative to that
   */
  tracks(folder: string, path: string): Promise<boolean | undefined>;
  /** What git has in these folders of the registry. */
  listed(folders: readonly string[]): Promise<Listed>;
  /** The last of these commits (as `git log` takes them) that touched one of these paths, as far as git can tell. */
  lastChange(commits: string, paths: readonly string[]): Promise<Change | undefined>;
}

/** The commit that HEAD is, as git says it; `""` where there is none. */
export async function headCommit(run: GitRun): Promise<string> {
  const { code, stdout } = await run(['rev-parse', '-q', '--verify', 'HEAD']);
  return code === 0 ? stdout.trim() : '';
}

/**
 * @param isUnborn whether the repository has no commit
 * @param recordedAs what git has of a path
 */
export function createGitQuestions(
  run: GitRun,
  isUnborn: () => boolean,
  recordedAs: (path: string) => string[],
): GitQuestions {
  return {
    async isClean(folder) {
      const options = ['--porcelain', '--untracked-files=all', '--ignored', '--no-renames'];
      const { code, stdout } = await run(['status', ...options, '--', folder]);
      return code === 0 && stdout === '';
    },
    async ignores(folder) {
      for (const ask of [
        ['ls-files', '-z', '--'],
        ['ls-tree', '-z', '--name-only', 'HEAD', '--'],
      ]) {
        const { code, stdout } = await run([...ask, folder]);
        // A repository without a commit has no HEAD to look into.
        const hasNoHead = ask[0] === 'ls-tree' && isUnborn();
        if (stdout !== '' || (code !== 0 && !hasNoHead)) return false;
      }
      // It knows no literal paths; the names that come here have no wildcards in them.
      const env = { GIT_LITERAL_PATHSPECS: '0' };
      return (await run(['check-ignore', '-q', '--', folder], { env })).code === 0;
    },
    async tracks(folder, path) {
      const there: GitRun = (args, options) => run(['-C', folder, ...args], options);
      const { lines, failed } = await listed(there, [path]);
      if (lines.some((line) => pathOf(line) === path)) return true;
      if (failed === undefined) return false;
      if (/not a git repository/.test(failed.stderr)) return undefined;
      throw new Error(wordsOf(failed));
    },
    listed: (folders) => listed(run, folders),
    async lastChange(commits, paths) {
      const options = ['-1', '--no-show-signature', '--format=%H%n%an'];
      const { stdout } = await run(['log', ...options, commits, '--', ...paths.flatMap(recordedAs)]);
      const [commit = '', author = ''] = stdout.split('\n');
      return commit === '' ? undefined : { commit, author };
    },
  };
}
