import { type Draft, readDraft } from './edit.ts';

export interface KeptDraft {
  get(): Draft | undefined;
  /** Undefined: nothing is kept. */
  put(draft: Draft | undefined): void;
}

/** What of the browser's storage it needs. */
export interface DraftStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What was typed, for this tab alone, over a reload. */
export function keptDraft(name: string, storage: DraftStorage): KeptDraft {
  const key = `hersh-manifest-${name}`;
  return {
    get() {
      try {
        return readDraft(storage.getItem(key));
      } catch {
        return undefined;
      }
    },
    put(draft) {
      try {
        if (draft === undefined) storage.removeItem(key);
        else storage.setItem(key, JSON.stringify(draft));
      } catch {
        // No room, or none is allowed: then the browser asks before it leaves the page.
      }
    },
  };
}
