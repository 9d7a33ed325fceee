import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runCommand } from '../../setup/command.ts';
import { writeStopped } from '../stopped.ts';

const GIT_MS_MAX = 600_000;
/** Of whoever runs this nothing counts: neither name nor hooks nor what signs commits. */
const ENVIRONMENT = {
  ...process.env,
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  ...{ GIT_AUTHOR_NAME: 'bench', GIT_AUTHOR_EMAIL: 'bench@localhost' },
  ...{ GIT_COMMITTER_NAME: 'bench', GIT_COMMITTER_EMAIL: 'bench@localhost' },
};

/** A work tree of manifests. */
export interface Repository {
  folder: string;
  git(...argv: string[]): Promise<void>;
  /**
   * Has these programs belong to that user, in a commit on top of `main` that is made aside: nothing here is written but
   * by git, once it takes that branch.
   */
  commitAside(branch: string, names: readonly string[], userId: string): Promise<void>;
}

/** With a first commit of all programs, on `main`. */
export async function makeRepository(folder: string, names: readonly string[]): Promise<Repository> {
  const repository = repositoryAt(folder);
  mkdirSync(join(folder, 'programs'), { recursive: true });
  await repository.git('init', '--quiet', '--initial-branch=main');
  for (const name of names) writeStopped(folder, name, 'first');
  await repository.git('add', 'programs');
  await repository.git('commit', '--quiet', '--message=All programs');
  return repository;
}

function repositoryAt(folder: string): Repository {
  const gitIn =
    (cwd: string) =>
    async (argv: readonly string[]): Promise<void> => {
      const options = { cwd, env: ENVIRONMENT, timeout: GIT_MS_MAX };
      const { code, output } = await runCommand(['git', ...argv], options);
      if (code !== 0) throw new Error(`git ${argv.join(' ')} ended with ${code}: ${lastLines(output, 10)}`);
    };
  const git = (...argv: string[]) => gitIn(folder)(argv);
  return {
    folder,
    git,
    async commitAside(branch, names, userId) {
      const aside = `${folder}-aside`;
      await git('worktree', 'add', '--quiet', '-B', branch, aside, 'main');
      try {
        for (const name of names) writeStopped(aside, name, userId);
        const message = `--message=${names.length} programs to ${userId}`;
        await gitIn(aside)(['commit', '--quiet', '--all', message]);
      } finally {
        await git('worktree', 'remove', '--force', aside);
      }
    },
  };
}
