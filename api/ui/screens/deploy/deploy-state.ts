import { batch, effect, type ReadonlySignal, signal } from '@preact/signals';
import { wordsOfError } from '../../state/acts.ts';
import { announce } from '../../state/announce.ts';
import { client } from '../../state/client.ts';
import { keep, recall } from '../../state/kept.ts';
import type { Missing } from '../../state/missing.ts';
import { programOf } from '../../state/programs.ts';
import { plural, size } from '../../words/span.ts';
import { type Change, changed, type Draft, emptyDraft } from './draft.ts';
import { frozen, thawed } from './kept-draft.ts';
import { BODY_BYTES_MAX } from './limits.ts';
import { isBroken, readText } from './read-text.ts';
import { folderIn, type TreeFolder } from './tree.ts';
import { order, type Walked, walk } from './walk.ts';

/** What is about to be sent. It outlives the screen, so that a look elsewhere loses nothing. */

const current = signal<Draft>(emptyDraft(recall('user')));
export const draft: ReadonlySignal<Draft> = current;

/** Of the program whose sources are edited, as the host has them; empty for a new one. */
const sources = signal<ReadonlyMap<string, string>>(new Map());
export const originals: ReadonlySignal<ReadonlyMap<string, string>> = sources;

/** What the browser or the host is being asked for, or why that failed. */
export const reading = signal<Reading | undefined>(undefined);

export type Reading =
  | { role: 'busy' | 'bad'; text: string }
  /** An example, whose code did not come. */
  | { role: 'missing'; why: Missing; again: () => void };

/** The folder that was chosen, to be asked for more of it; gone with a reload. */
let tree: TreeFolder | undefined;
/** The program that the drafts is of, as the URL names it; undefined before the screen was seen. */
let from: string | undefined;

const keyOf = (name: string) => `hersh-draft-${name}`;

/** @param change what is different; the user is remembered by the browser */
export function editDraft(change: Partial<Draft>): void {
  current.value = { ...current.peek(), ...change };
  if (change.userId !== undefined) keep('user', change.userId);
}

/** Begins anew: with nothing but the user, or with what the host has. */
export function clearDraft(): void {
  tree = undefined;
  reading.value = undefined;
  const { userId, sent } = current.peek();
  const anew = emptyDraft(userId, from ?? '');
  current.value = from ? { ...anew, sent, files: sources.peek() } : anew;
}

/** The host has it now: what differs is told from here on against it. */
export function setOriginals(files: ReadonlyMap<string, string>): void {
  if (from) sources.value = files;
}

/**
 * For other files in the place of these. What has served is a program of its own, and another folder another one; what
 * never got that far is tried again.
 */
function replaced({ userId, program, sent }: Draft): Draft {
  const hasServed = (programOf(program)?.peek().revision ?? 0) > 0;
  return from || !hasServed ? { ...emptyDraft(userId, program), sent } : emptyDraft(userId);
}

/** Takes up what the URL asks for: a new program, or the sources of one. What was typed there is still there. */
export function openDraft(name: string): void {
  if (from === name) return;
  keepNow();
  from = name;
  tree = undefined;
  const kept = thawed(readKept(name));
  batch(() => {
    sources.value = new Map();
    reading.value = undefined;
    current.value = kept ?? emptyDraft(recall('user'), name);
  });
  if (name !== '') void load(name, kept === undefined);
}

/** @param isFresh whether nothing was typed yet, so that the host's files are what is edited */
async function load(name: string, isFresh: boolean): Promise<void> {
  reading.value = { role: 'busy', text: 'Its sources are being read…' };
  try {
    const files = await client.source(name);
    const { user_id: userId } = await client.program(name);
    if (from !== name) return;
    const entries = Object.entries(files).sort(([one], [other]) => order(one, other));
    const whole = new Map(entries.filter(([, text]) => !isBroken(text)));
    const broken = entries.filter(([, text]) => isBroken(text));
    batch(() => {
      sources.value = whole;
      reading.value = undefined;
      const refused = broken.map(([file]) => ({ name: file, why: 'broken' as const }));
      if (isFresh) current.value = { ...emptyDraft(userId, name), files: whole, refused };
    });
  } catch (error) {
    if (from === name) reading.value = { role: 'bad', text: wordsOfError(error) };
  }
}

/** Asks the host for the sources again. */
export function loadAgain(): void {
  if (from) void load(from, current.peek().files.size === 0);
}

/** Takes a folder, or a few files: the folder replaces what was there, files are put beside it. */
export async function takeTree(
  chosen: TreeFolder,
  { isMore = false, withModules = false } = {},
): Promise<void> {
  reading.value = { role: 'busy', text: 'The folder is being read…' };
  try {
    const walked = await walk(chosen, { withModules });
    if (!isMore) tree = chosen;
    await takeWalked(walked, isMore);
    reading.value = undefined;
  } catch (error) {
    reading.value = { role: 'bad', text: `It could not be taken: ${wordsOfError(error)}` };
  }
}

/** Files that are read together. */
const READ_AT_ONCE = 50;

async function takeWalked(walked: Walked, isMore: boolean): Promise<void> {
  const { bytes, largest, isOver, leftOut, dockerfiles, ignoreError } = walked;
  const before = current.peek();
  const base = { ...replaced(before), leftOut, dockerfiles, ignoreError };
  if (bytes > BODY_BYTES_MAX || isOver !== '') {
    // Files that come on top do not cost what is there already.
    if (isMore) throw new Error(`that is ${size(bytes)}, and ${size(BODY_BYTES_MAX)} can be sent in all`);
    current.value = { ...base, over: { bytes, largest, isOver, count: walked.files.length } };
    announce('That is more than can be sent');
    return;
  }
  const texts = new Map<string, string>();
  const refused: Draft['refused'][number][] = walked.unread.map((name) => ({ name, why: 'not read' }));
  for (let at = 0; at < walked.files.length; at += READ_AT_ONCE) {
    const some = walked.files.slice(at, at + READ_AT_ONCE);
    const read = await Promise.all(some.map(({ blob }) => readText(blob).catch(() => null)));
    for (const [index, { name }] of some.entries()) {
      const text = read[index];
      if (typeof text === 'string') texts.set(name, text);
      else refused.push({ name, why: text === null ? 'not read' : 'no text' });
    }
  }
  const files = isMore ? new Map([...before.files, ...texts]) : texts;
  const open = files.has('Dockerfile') ? 'Dockerfile' : ([...files.keys()][0] ?? 'Dockerfile');
  current.value = isMore
    ? { ...before, files, refused: [...before.refused, ...refused] }
    : { ...base, files, refused, open };
  announce(plural(texts.size, 'file'));
}

/** Takes files that are at hand: an example. */
export function takeFiles(files: Readonly<Record<string, string>>): void {
  tree = undefined;
  const entries = Object.entries(files).sort(([one], [other]) => order(one, other));
  current.value = { ...replaced(current.peek()), files: new Map(entries) };
  announce(plural(entries.length, 'file'));
}

/** Does what a check offers. */
export function apply(change: Change): void {
  if (change.kind !== 'folder' && change.kind !== 'modules') current.value = changed(current.peek(), change);
  else void askTree(change);
}

async function askTree(change: Extract<Change, { kind: 'folder' | 'modules' }>): Promise<void> {
  const whole = tree;
  const wanted = change.kind === 'modules' ? whole : whole && (await folderIn(whole, change.path));
  if (wanted !== undefined) await takeTree(wanted, { withModules: change.kind === 'modules' });
  else reading.value = { role: 'bad', text: 'The page was loaded anew meanwhile: choose the folder again.' };
}

function readKept(name: string): string {
  try {
    return sessionStorage.getItem(keyOf(name)) ?? '';
  } catch {
    return '';
  }
}

/** What is typed is kept a moment after: not with every key. */
const KEEP_AFTER_MS = 300;
let timer: ReturnType<typeof setTimeout> | undefined;

function keepNow(): void {
  clearTimeout(timer);
  if (from === undefined) return;
  try {
    sessionStorage.setItem(keyOf(from), frozen(current.peek()));
  } catch {
    // No room, or a private window.
  }
}

let isKeeping = false;

/** Begins to keep drafts; once. */
export function startKeeping(): void {
  if (isKeeping) return;
  isKeeping = true;
  effect(() => {
    current.value;
    clearTimeout(timer);
    timer = setTimeout(keepNow, KEEP_AFTER_MS);
  });
  addEventListener('pagehide', keepNow);
}
