import { mergeLines } from '../../parts/merge-lines.ts';

/** A text of the registry that is being edited. Pure; all texts with line feeds alone. */

/** A text as the registry had it. */
export interface Stored {
  text: string;
  etag: string;
}

export interface Edit {
  /** What was opened, and what an edit is applied over. */
  base: Stored;
  /** As it stands in the editor. */
  text: string;
  /** When it was typed last, epoch milliseconds; undefined where nothing was. */
  typedAt: number | undefined;
  /** What the registry has meanwhile; undefined while that is what was opened. */
  theirs: Stored | undefined;
}

/** What is kept of one over a reload. */
export interface Draft {
  base: Stored;
  text: string;
  typedAt: number;
}

export function isChanged({ base, text }: Edit): boolean {
  return text !== base.text;
}

/** Opens what the registry has, with what was typed before on it, if anything was. */
export function opened(stored: Stored, draft: Draft | undefined): Edit {
  const fresh: Edit = { base: stored, text: stored.text, typedAt: undefined, theirs: undefined };
  if (draft === undefined || draft.text === draft.base.text) return fresh;
  return seen({ base: draft.base, text: draft.text, typedAt: draft.typedAt, theirs: undefined }, stored);
}

export function typed(edit: Edit, text: string, nowMs: number): Edit {
  return { ...edit, text, typedAt: text === edit.base.text ? undefined : nowMs };
}

/** The registry has this now. What was typed stays; what was not follows. */
export function seen(edit: Edit, stored: Stored): Edit {
  if (stored.etag === edit.base.etag)
    return edit.theirs === undefined ? edit : { ...edit, theirs: undefined };
  const isSame = stored.text === edit.text || stored.text === edit.base.text;
  if (stored.text === edit.text || !isChanged(edit))
    return { base: stored, text: stored.text, typedAt: undefined, theirs: undefined };
  // Another tag and the same text: nothing to choose between.
  if (isSame) return { ...edit, base: stored, theirs: undefined };
  return edit.theirs?.etag === stored.etag ? edit : { ...edit, theirs: stored };
}

export function undone(edit: Edit): Edit {
  return { ...edit, text: edit.base.text, typedAt: undefined };
}

/** Theirs, without what was typed. */
export function takenTheirs(edit: Edit): Edit {
  const base = edit.theirs ?? edit.base;
  return { base, text: base.text, typedAt: undefined, theirs: undefined };
}

/** Theirs with what was typed put on it; undefined where both changed the same lines. */
export function mergedOnTheirs(edit: Edit, nowMs: number): Edit | undefined {
  const { base, text, theirs } = edit;
  if (theirs === undefined) return edit;
  const merged = mergeLines(base.text, text, theirs.text);
  if (merged === undefined) return undefined;
  return typed({ base: theirs, text: merged, typedAt: edit.typedAt, theirs: undefined }, merged, nowMs);
}

/** What was typed in the place of theirs, all of it. */
export function overTheirs(edit: Edit): Edit {
  return edit.theirs === undefined ? edit : { ...edit, base: edit.theirs, theirs: undefined };
}

/** This text was taken by the registry. */
export function applied(edit: Edit, stored: Stored): Edit {
  const isAll = edit.text === stored.text;
  return { base: stored, text: edit.text, typedAt: isAll ? undefined : edit.typedAt, theirs: undefined };
}

/** What is to be kept of it; undefined: nothing. */
export function draftOf(edit: Edit): Draft | undefined {
  if (!isChanged(edit) || edit.typedAt === undefined) return undefined;
  return { base: edit.base, text: edit.text, typedAt: edit.typedAt };
}

/** Undefined for what is none. */
export function readDraft(json: string | null): Draft | undefined {
  try {
    const { base, text, typedAt } = JSON.parse(json ?? '') as Partial<Draft>;
    const isWhole =
      typeof base?.text === 'string' && typeof base.etag === 'string' && typeof text === 'string';
    if (!isWhole || typeof typedAt !== 'number') return undefined;
    return { base: { text: base.text, etag: base.etag }, text, typedAt };
  } catch {
    return undefined;
  }
}
