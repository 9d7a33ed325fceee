import type { LeftOut, Walked } from './walk.ts';

/** A file that can not be sent, and why. */
export interface Refused {
  name: string;
  /** `broken`: the host has it, but its API told it as text, which it is not. */
  why: 'no text' | 'not read' | 'broken';
}

/** What is about to be sent: as it was chosen, and edited since. */
export interface Draft {
  userId: string;
  /** What it is to be called; `""`: the host gives it a name. */
  name: string;
  /** Files by name, the Dockerfile among them. */
  files: ReadonlyMap<string, string>;
  leftOut: readonly LeftOut[];
  refused: readonly Refused[];
  /** Folders further down that have a Dockerfile. */
  dockerfiles: readonly string[];
  ignoreError: string;
  /** More than can be sent was chosen, so nothing of it was read. */
  over: Over | undefined;
  /** The file that is being looked at. */
  open: string;
  /** The program that was made of it, or whose sources it is; `""` before. */
  program: string;
  /** What became of it when it was last sent; undefined before. */
  sent: Sent | undefined;
}

/** What the host took. */
export interface Sent {
  program: string;
  buildId: string;
  /** Whether the program was made of it. */
  isNew: boolean;
  /** Time of its newest event before, by the host's clock; `""` for none. */
  since: string;
  /** What it serves on. */
  proxyUrl: string;
  /** The build that was the newest before; `""` for none. */
  buildBefore: string;
  /** Whether the host had the very same already. */
  isSame: boolean;
  /** Why it could not be started, or `""`. */
  notStarted: string;
}

export interface Over extends Pick<Walked, 'bytes' | 'largest' | 'isOver'> {
  count: number;
}

export function emptyDraft(userId: string, program = ''): Draft {
  return {
    ...{ userId, name: '', program, files: new Map(), leftOut: [], refused: [], dockerfiles: [] },
    ...{ ignoreError: '', over: undefined, open: 'Dockerfile', sent: undefined },
  };
}

/** Whether there is anything in it. */
export function isBegun({ files, over, refused, leftOut }: Draft): boolean {
  return files.size > 0 || over !== undefined || refused.length > 0 || leftOut.length > 0;
}

/** Something that can be done to a draft by a click. */
export type Change =
  | { kind: 'write'; name: string; text: string }
  | { kind: 'rename'; name: string; to: string }
  | { kind: 'remove'; names: readonly string[] }
  /** Does what the browser has to be asked for again: another folder of the same, or with more of it. */
  | { kind: 'folder'; path: string }
  | { kind: 'modules' };

/** Pure; `folder` and `modules` are for whoever has the tree. */
export function changed(draft: Draft, change: Change): Draft {
  const files = new Map(draft.files);
  if (change.kind === 'write') {
    files.set(change.name, change.text);
    return { ...draft, files, open: change.name };
  }
  if (change.kind === 'rename') {
    const text = files.get(change.name);
    if (text === undefined) return draft;
    files.delete(change.name);
    files.set(change.to, text);
    return { ...draft, files, open: change.to };
  }
  if (change.kind !== 'remove') return draft;
  for (const name of change.names) files.delete(name);
  const open = files.has(draft.open) ? draft.open : ([...files.keys()][0] ?? 'Dockerfile');
  const refused = draft.refused.filter(({ name }) => !change.names.includes(name));
  return { ...draft, files, refused, open };
}

export type Difference = 'new' | 'changed' | 'gone';

/** Files that are not as they were. */
export function differences(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): Map<string, Difference> {
  const found = new Map<string, Difference>();
  for (const [name, text] of now) {
    const old = before.get(name);
    if (old === undefined) found.set(name, 'new');
    else if (old !== text) found.set(name, 'changed');
  }
  for (const name of before.keys()) if (!now.has(name)) found.set(name, 'gone');
  return found;
}
