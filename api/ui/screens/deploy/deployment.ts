import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '../../../client.ts';
import { wordsOfError } from '../../state/acts.ts';
import { announce } from '../../state/announce.ts';
import { client } from '../../state/client.ts';
import { isLoaded, names } from '../../state/programs.ts';
import { kindOf } from '../../words/kind.ts';
import { draft, editDraft, setOriginals } from './deploy-state.ts';
import type { Draft, Sent } from './draft.ts';
import { forgetLine } from './show-line.ts';

/** Whether something is being sent, and what the host said where it was not taken. What was taken is `draft.sent`. */
export type Deployment =
  | { kind: 'idle' }
  | { kind: 'sending' }
  /** Nothing came of it; where that is not known, sending it again does no harm. */
  | { kind: 'refused'; isKnown: boolean; text: string; details: readonly string[] }
  /** The host went away meanwhile, and may have made a program of it: one of `made`, which is undefined until it is back. */
  | { kind: 'unknown'; userId: string; made: readonly string[] | undefined };

const current = signal<Deployment>({ kind: 'idle' });
export const deployment: ReadonlySignal<Deployment> = current;

/** Thrown where the host went away while it was sent, so that nobody knows what came of it. */
class NotKnown extends Error {}

/** Sends the draft: a new program, or new sources for the one it was sent to before. */
export async function deploy(): Promise<void> {
  const { userId, name, program, files } = draft.peek();
  if (current.peek().kind === 'sending') return;
  current.value = { kind: 'sending' };
  forgetLine();
  announce('Sending');
  let before: ReadonlySet<string> = new Set();
  try {
    if (program === '') before = new Set(isLoaded.peek() ? names.peek() : await namesOf(userId));
    const sent =
      program === ''
        ? await create({ user_id: userId, ...(name !== '' && { name }) }, files)
        : await replace(program, files);
    editDraft({ program: sent.program, sent });
    setOriginals(files);
    current.value = { kind: 'idle' };
    await startIt();
  } catch (error) {
    announce('It was not sent');
    if (error instanceof NotKnown && program === '') await askWhatCame(userId, before);
    else current.value = refusal(error);
  }
}

function refusal(error: unknown): Deployment {
  if (error instanceof NotKnown)
    return {
      ...{ kind: 'refused', isKnown: false, details: [] },
      text: 'Whether it took the sources is not known. Sending them again does no harm.',
    };
  const details = error instanceof ApiError ? error.details.map(({ message }) => message) : [];
  return { kind: 'refused', isKnown: true, text: wordsOfError(error), details };
}

/** What is lost on its way may have arrived. */
async function sending<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof ApiError && error.status === 0 ? new NotKnown() : error;
  }
}

const namesOf = async (userId: string) =>
  (await client.programs({ user_id: userId })).map(({ program_id }) => program_id);

/** The host is asked this often what it made, in milliseconds. */
const ASK_MS = 2_000;

/** Asks until something else is done: what was on its way may arrive late. */
async function askWhatCame(userId: string, before: ReadonlySet<string>): Promise<void> {
  let mine: Deployment = { kind: 'unknown', userId, made: undefined };
  current.value = mine;
  while (current.peek() === mine) {
    const found = await namesOf(userId).catch(() => undefined);
    if (current.peek() !== mine) return;
    if (found !== undefined)
      mine = { kind: 'unknown', userId, made: found.filter((name) => !before.has(name)) };
    current.value = mine;
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}

function bodyOf(files: ReadonlyMap<string, string>) {
  const { Dockerfile: dockerfile = '', ...rest } = Object.fromEntries(files);
  return { dockerfile, src_files: rest };
}

async function create(whose: { user_id: string; name?: string }, files: Draft['files']): Promise<Sent> {
  const made = await sending(client.create({ ...whose, ...bodyOf(files) }));
  return {
    ...{ program: made.program_id, buildId: made.build_id, proxyUrl: made.proxy_url },
    ...{ isNew: true, isSame: false, since: '', buildBefore: '', notStarted: '' },
  };
}

async function replace(program: string, files: Draft['files']): Promise<Sent> {
  const [before, events] = await Promise.all([client.build(program), client.events(program)]);
  const since =
    events
      .map(({ time }) => time)
      .sort()
      .at(-1) ?? '';
  const put = await sending(client.putSources(program, bodyOf(files)));
  const { proxy_url: proxyUrl } = await client.program(program);
  return {
    ...{ program, buildId: put.build_id, proxyUrl, since },
    ...{ isNew: false, isSame: !put.changed, buildBefore: before.id, notStarted: '' },
  };
}

/** Starts what was sent, where it does not start by itself. What fails is told, and can be done again. */
export async function startIt(): Promise<void> {
  const { sent } = draft.peek();
  if (sent === undefined) return;
  editDraft({ sent: { ...sent, notStarted: '' } });
  try {
    const wish = sent.isNew ? 'start' : await wishFor(sent);
    if (wish !== undefined) await client.wish(sent.program, wish);
  } catch (error) {
    // What had ended begins anew with its new sources, by itself.
    if (error instanceof ApiError && /already started/.test(error.message)) return;
    editDraft({ sent: { ...sent, notStarted: wordsOfError(error) } });
  }
}

async function wishFor({ program, isSame }: Sent): Promise<'start' | 'restart' | undefined> {
  const p = await client.program(program);
  const kind = kindOf(p);
  if (kind === 'rest') return 'start';
  // The same again is tried again where it failed; other sources are, by themselves.
  if (!isSame || kind === 'fine' || kind === 'busy') return undefined;
  return p.state === 'Ready' || p.state === 'Running' ? 'restart' : 'start';
}

/** The next one that is sent is a program of its own. */
export function forget(): void {
  editDraft({ program: '', sent: undefined });
  current.value = { kind: 'idle' };
}

/** Takes a program that was made meanwhile for what was sent. */
export function adopt(program: string): void {
  editDraft({ program });
  current.value = { kind: 'idle' };
}
