import { type GitRun, wordsOf } from './run.ts';

/** Asks git for a list, each item ended by NUL (`-z`). Undefined where git fails. */
export type GitAsk = (command: string, ...args: readonly string[]) => Promise<string[] | undefined>;

/** @param onWarning told when a subcommand fails that did not fail the last time */
export function createGitAsk(run: GitRun, onWarning: (fields: object, message: string) => void): GitAsk {
  const failing = new Set<string>();
  return async (command, ...args) => {
    const result = await run([command, ...args]);
    if (result.code === 0) {
      failing.delete(command);
      return itemsIn(result.stdout);
    }
    if (!failing.has(command)) onWarning({ error: wordsOf(result) }, `git ${command} fails in the registry`);
    failing.add(command);
    return undefined;
  };
}

export function itemsIn(text: string): string[] {
  return text.split('\0').filter((item) => item !== '');
}
