import { AppError } from '../schemas/errors.ts';
import type { Git } from './git/git.ts';
import type { Absences } from './looks/absences.ts';
import type { Looks } from './looks/looks.ts';
import type { ManifestEdits } from './manifests/edits.ts';
import type { ManifestSet } from './manifests/set.ts';
import type { OwnFolders } from './records/own-folders.ts';
import type { StatusStore } from './records/status-store.ts';
import type { Registry } from './registry.ts';

export interface WishesOptions {
  git: Git | undefined;
  manifests: ManifestSet;
  absences: Absences;
  looks: Looks;
  status: StatusStore;
  own: OwnFolders;
  edits: ManifestEdits;
  /** What people have to know for as long as the registry is open. */
  warnings: readonly string[];
}

/** What is wanted of programs, as far as the files and their absence tell, and how far that is. */
export function createWishes(
  options: WishesOptions,
): Pick<Registry, 'wanted' | 'missing' | 'health' | 'confirmPrune'> {
  const { git, manifests, absences, looks, status } = options;
  // In the middle of a rebase a file may be gone and come back with the next step.
  const isGitAtRest = () => (git?.operation() ?? '') === '';
  return {
    wanted(name) {
      const entry = manifests.get(name);
      if (entry !== undefined) return { kind: 'present', entry };
      if (absences.isStated(name)) return { kind: 'gone' };
      const trouble = looks.trouble();
      if (trouble !== '') return { kind: 'unknown', why: trouble };
      return isGitAtRest() && absences.isGone(name) ? { kind: 'gone' } : { kind: 'unknown' };
    },
    missing: () => absences.unstated().filter((name) => status.get(name) !== undefined),
    health: () => ({
      ...{ scanned: looks.scanned(), message: looks.trouble(), paused: absences.paused() },
      warnings: [...options.warnings, ...(git?.warnings() ?? []), ...options.own.warnings()],
    }),
    async confirmPrune(intentOf) {
      // What came back meanwhile is not meant.
      await looks.look();
      const names = absences.paused();
      const trouble = looks.trouble();
      if (trouble !== '') {
        const reason = isGitAtRest() ? 'RegistryUnavailable' : 'Conflict';
        throw new AppError(reason, `${trouble}; nothing can be pruned while that is so`);
      }
      if (names.length > 0) await options.edits.removeMissing(names, intentOf?.(names));
      return names;
    },
  };
}
