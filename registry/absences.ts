import { readdir } from 'node:fs/promises';
import type { Clock } from '../schemas/clock.ts';
import type { Git } from './git.ts';
import { pruningPauses } from './prune.ts';
import type { StatusStore } from './status-store.ts';

/** A file that is gone is believed gone after this (design: absence). */
export const ABSENT_MS = 500;

/** Which manifests are missing, since when, and whether that is believed. */
export interface Absences {
  has(name: string): boolean;
  /** `stated`: somebody said so. `settled`: missing for long enough to be believed. `fresh`: not yet. */
  of(name: string): 'stated' | 'settled' | 'fresh' | undefined;
  /** Notes that a manifest is missing from now on. */
  add(name: string, stated: boolean): void;
  /** The manifest is there again. Gives whether it was missing. */
  delete(name: string): boolean;
  /** Looks for wishes that were stated: in the trash, or by a commit. Forgets names that no program has. */
  believe(): Promise<void>;
  names(): string[];
  /** Names whose absence nobody stated, sorted. */
  unstated(): string[];
  /** Those of them that wait for a confirmation, since too many went at once; sorted. */
  paused(): string[];
  /** Whether one of them is not settled yet, so that another look is due. */
  areSettling(): boolean;
}

export function createAbsences(
  status: StatusStore,
  trash: string,
  git: Git | undefined,
  clock: Clock,
): Absences {
  /** Since when, by the clock that does not jump. */
  const absent = new Map<string, { sinceMs: number; stated: boolean }>();
  const knows = (name: string) => status.get(name) !== undefined;

  const unstated = () =>
    [...absent]
      .filter(([name, { stated }]) => !stated && knows(name))
      .map(([name]) => name)
      .sort();
  const state = (name: string): void => {
    const absence = absent.get(name);
    if (absence !== undefined) absent.set(name, { ...absence, stated: true });
  };

  /** A manifest that lies in the trash since after its program was made was removed by a stated wish. */
  async function believeTrash(): Promise<void> {
    if (unstated().length === 0) return;
    const files = await readdir(trash).catch(() => []);
    for (const name of unstated()) {
      const createdMs = Date.parse(status.get(name)?.createdAt ?? '') || 0;
      const isThere = files.some((file) => {
        const match = /^(.+)\.(\d+)\.yaml$/.exec(file);
        return match?.[1] === name && Number(match[2]) >= createdMs;
      });
      if (isThere) state(name);
    }
  }

  /** A manifest that was in the commit we last saw, and is in HEAD no more, was removed by a stated wish. */
  function believeCommits(): void {
    if (git === undefined || git.operation() !== '') return;
    for (const name of unstated()) {
      if (git.droppedProgram(name, status.get(name)?.observedRevision ?? '')) state(name);
    }
  }

  return {
    unstated,
    has: (name) => absent.has(name),
    of(name) {
      const absence = absent.get(name);
      if (absence === undefined) return undefined;
      if (absence.stated) return 'stated';
      return clock.monotonic() - absence.sinceMs >= ABSENT_MS ? 'settled' : 'fresh';
    },
    add: (name, stated) => {
      absent.set(name, { sinceMs: clock.monotonic(), stated });
    },
    delete: (name) => absent.delete(name),
    names: () => [...absent.keys()],
    async believe() {
      for (const name of absent.keys()) if (!knows(name)) absent.delete(name);
      await believeTrash();
      believeCommits();
    },
    paused() {
      const known = status.names().filter((name) => absent.get(name)?.stated !== true).length;
      const missing = unstated();
      return pruningPauses(known, missing.length) ? missing : [];
    },
    areSettling: () =>
      [...absent.values()].some(({ stated, sinceMs }) => !stated && clock.monotonic() - sinceMs < ABSENT_MS),
  };
}
