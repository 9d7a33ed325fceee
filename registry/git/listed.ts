import { itemsIn } from './ask.ts';
import type { GitResult, GitRun } from './run.ts';

/** What git has of a path: a link, and a submodule, in which there may be links. */
export const LINK = '120000 ';
export const SUBMODULE = '160000 ';

/** Files that git has, in the index or in HEAD. */
export interface Listed {
  /** `mode … TAB path`, by path as seen from where git runs. */
  lines: string[];
  /** Where git does not say, or not all: then no more can be told than that these are there. */
  failed: GitResult | undefined;
}

/** @param paths of files, or of folders with all in them; relative to where git runs */
export async function listed(run: GitRun, paths: readonly string[]): Promise<Listed> {
  const index = await run(['ls-files', '-s', '-z', '--', ...paths]);
  const head = await run(['ls-tree', '-r', '-z', 'HEAD', '--', ...paths]);
  const lines = [...new Set([...itemsIn(index.stdout), ...itemsIn(head.stdout)])];
  if (index.code !== 0) return { lines, failed: index };
  // A repository without a commit has no HEAD to look into: git 2.39 then says 1, and nothing else.
  const isWhole = head.code === 0 || (await run(['rev-parse', '-q', '--verify', 'HEAD'])).code === 1;
  return { lines, failed: isWhole ? undefined : head };
}

export function pathOf(line: string): string {
  return line.slice(line.indexOf('\t') + 1);
}
