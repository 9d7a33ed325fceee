import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '../../../client.ts';
import { wordsOfError } from '../../state/acts.ts';
import { announce } from '../../state/announce.ts';
import { client } from '../../state/client.ts';
import { names } from '../../state/programs.ts';
import { kindOf } from '../../words/kind.ts';
import { draft, editDraft, setOriginals } from './deploy-state.ts';
import type { Draft, Sent } from './draft.ts';

/** Whether something is being sent, and what the host said where it was not taken. What was taken is `draft.sent`. */
export type Deployment =
  | { kind: 'idle' }
  | { kind: 'sending'; sinceMs: number }
  /** Nothing came of it. */
  | { kind: 'refused'; text: string; details: readonly string[] }
  /** The host went away meanwhile, and may have made a program of it: one that was not among these. */
  | { kind: 'unknown'; before: ReadonlySet<string>; userId: string };

const current = signal<Deployment>({ kind: 'idle' });
export const deployment: ReadonlySignal<Deployment> = current;

/** Sends the draft: a new program, or new sources for the one it was sent to before. */
export async function deploy(): Promise<void> {
  const { userId, program, files } = draft.peek();
  if (current.peek().kind === 'sending') return;
  current.value = { kind: 'sending', sinceMs: Date.now() };
  announce('Sending');
  const before = new Set(names.peek());
  try {
    const sent = program === '' ? await create(userId, files) : await replace(program, files);
    editDraft({ program: sent.program, sent });
    setOriginals(files);
    current.value = { kind: 'idle' };
    await startIt();
  } catch (error) {
    current.value = refusal(error, program, before, userId);
    announce('It was not sent');
  }
}

function refusal(error: unknown, program: string, before: ReadonlySet<string>, userId: string): Deployment {
  const isGone = error instanceof ApiError && error.status === 0;
  if (isGone && program === '') return { kind: 'unknown', before, userId };
  const details = error instanceof ApiError ? error.details.map(({ message }) => message) : [];
  if (isGone)
    return {
      ...{ kind: 'refused', details },
      text: 'The host does not answer. Whether it took the sources is not known; sending them again does no harm.',
    };
  return { kind: 'refused', text: wordsOfError(error), details };
}

function bodyOf(files: ReadonlyMap<string, string>) {
  const { Dockerfile: dockerfile = '', ...rest } = Object.fromEntries(files);
  return { dockerfile, src_files: rest };
}

async function create(userId: string, files: Draft['files']): Promise<Sent> {
  const made = await client.create({ user_id: userId, ...bodyOf(files) });
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
  const put = await client.putSources(program, bodyOf(files));
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
