import type { Clock } from '../../schemas/clock.ts';
import type { CommittedLinks } from '../git/committed-links.ts';
import type { Git } from '../git/git.ts';
import type { Stand } from '../git/may-be-read.ts';
import type { ManifestSet } from '../manifests/set.ts';
import type { RegistryPaths } from '../paths.ts';
import { type Recall, type Scan, scanPrograms } from './scan.ts';
import type { Watch } from './watch.ts';

/** Files are looked at this often under the events (design: numbers). */
export const LOOK_MS = 10_000;

export interface FindFilesOptions {
  paths: RegistryPaths;
  git: Git | undefined;
  links: CommittedLinks;
  manifests: ManifestSet;
  clock: Clock;
  recall: Recall;
  /** Part of every look. */
  watch: () => Pick<Watch, 'refresh'>;
}

/** What lies there, and how git stands. */
export interface Found {
  scan: Scan;
  stand: Stand | undefined;
}

/** What lies there says nothing at present. */
export interface Unsure {
  /** When to look again. */
  waitMs: number;
  /** For people, or `""` where it is a matter of moments. */
  why: string;
}

/**
 * Reads the files while git stands still, and has git say what it knows of them.
 * @param note told of paths whose commit, or whose difference from it, changed
 */
export async function findFiles(
  options: FindFilesOptions,
  note: (path: string) => void,
): Promise<Found | Unsure> {
  const { paths, git, links, manifests, clock } = options;
  const began = await git?.stand();
  if (began !== undefined && began.waitMs > 0) return { waitMs: began.waitMs, why: began.inProgress };
  await options.watch().refresh();
  const scan = await scanPrograms(paths.programs, manifests.keys, clock.now(), links.refusal, options.recall);
  if (!scan.complete) return { waitMs: LOOK_MS, why: scan.message };
  const isOther =
    scan.files.length !== manifests.size() ||
    scan.files.some(({ name, text }) => text !== undefined && text !== manifests.get(name)?.text);
  if (isOther) git?.touch();
  // Before the files count, so that nobody sees a program without the commit it came with.
  for (const path of (await git?.refresh()) ?? []) note(path);
  const stand = await git?.stand(began);
  if (stand !== undefined && stand.waitMs > 0) return { waitMs: stand.waitMs, why: stand.inProgress };
  return { scan, stand };
}
