import { type Draft, readDraft } from './edit.ts';

export interface KeptDraft {
  get(): Draft | undefined;
  /** Undefined: nothing is kept. */
  put(draft: Draft | undefined): void;
}

/** What was typed, for this tab alone, over a reload. */
export function keptDraft(
  name: string,
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
): KeptDraft {
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
