import { type Draft, emptyDraft } from './draft.ts';

/** Drafts are kept in the tab up to this many characters of text: it lives through a reload, and not for longer. */
export const KEPT_CHARS_MAX = 1024 * 1024;

export function isKept({ files }: Pick<Draft, 'files'>): boolean {
  let chars = 0;
  for (const [name, text] of files) chars += name.length + text.length;
  return chars <= KEPT_CHARS_MAX;
}

/** As text; `""` for one that is too large to be kept. */
export function frozen(draft: Draft): string {
  return isKept(draft) ? JSON.stringify({ ...draft, files: [...draft.files] }) : '';
}

/** What was kept; undefined where it is none, as of an older page. */
export function thawed(text: string): Draft | undefined {
  try {
    const { files, ...rest } = JSON.parse(text) as Omit<Draft, 'files'> & { files: [string, string][] };
    const draft = { ...emptyDraft(''), ...rest, files: new Map(files) };
    return [...draft.files.values()].every((one) => typeof one === 'string') ? draft : undefined;
  } catch {
    return undefined;
  }
}
