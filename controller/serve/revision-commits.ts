import type { RevisionStore } from '../../registry/records/revision-store.ts';

/** The commits that revisions came from, kept once they were read. */
export interface RevisionCommits {
  /** `""` for none; null where it is being read, which is told when it is done. */
  of(name: string, revision: number): string | null;
  /** The program is gone: what comes under its name is another. */
  forget(name: string): void;
}

/** As many of each program: what serves, what is wanted, and what was a moment ago. */
const KEPT = 4;

/** @param onRead a commit of that program is known now */
export function createRevisionCommits(
  revisions: Pick<RevisionStore, 'get'>,
  onRead: (name: string) => void,
): RevisionCommits {
  const known = new Map<string, Map<number, string | null>>();
  // One after the other: a host with thousands of programs has other things to read at its start.
  let reading = Promise.resolve();

  async function read(name: string, revision: number, own: Map<number, string | null>): Promise<void> {
    const found = await revisions.get(name, revision);
    if (known.get(name) !== own || !own.has(revision)) return;
    // It may be written a moment after the status that names it; the next change asks again.
    if (found === undefined) own.delete(revision);
    else {
      own.set(revision, found.commit);
      onRead(name);
    }
  }

  return {
    of(name, revision) {
      const own = known.get(name) ?? new Map<number, string | null>();
      known.set(name, own);
      const commit = own.get(revision);
      if (commit !== undefined) return commit;
      own.set(revision, null);
      for (const oldest of [...own.keys()].slice(0, -KEPT)) own.delete(oldest);
      reading = reading.then(() => read(name, revision, own)).catch(() => undefined);
      return null;
    },
    forget: (name) => void known.delete(name),
  };
}
