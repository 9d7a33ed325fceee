import { type ReadonlySignal, signal } from '@preact/signals';
import { SESSION_HEADER } from '../../../schemas/session-names.ts';
import type { ErrorBody } from '../../errors.ts';
import type { OpenedSessionBody } from '../../routes/session.ts';
import { keep, recall } from './kept.ts';

/** Beside the cookie, which no script reads: what the host gave this page alone. Of no use without that. */
const KEY = 'session';
let key = recall(KEY);

const signedOut = signal(false);
/** Whether the host asks for a token. */
export const isSignedOut: ReadonlySignal<boolean> = signedOut;

/** Whether there is something to sign out of. */
export function isSignedIn(): boolean {
  return key !== '';
}

/** All that the page asks its host for, with what says whose page it is. */
export const send: typeof fetch = async (input, init = {}) => {
  const headers = new Headers(init.headers);
  if (key !== '') headers.set(SESSION_HEADER, key);
  const answer = await fetch(input, { ...init, headers });
  // A program may ask for something of its own.
  if (answer.status === 401 && !String(input).includes('/proxy/')) signedOut.value = true;
  return answer;
};

export type SignInRefusal = Pick<ErrorBody, 'message'> & { hint: string };

/** Loads the page anew, as whoever has the token sees it; or says why not. */
export async function signIn(token: string): Promise<SignInRefusal> {
  const answer = await fetch('/session', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  }).catch(() => undefined);
  if (answer === undefined) return { message: 'The host does not answer.', hint: 'Try again.' };
  const body = (await answer.json().catch(() => ({}))) as Partial<OpenedSessionBody & ErrorBody>;
  if (answer.ok && body.key !== undefined) {
    keep(KEY, body.key);
    if (location.pathname === '/ui/signin') location.assign('/ui');
    else location.reload();
    // Until the page goes.
    return { message: '', hint: '' };
  }
  return { message: body.message ?? answer.statusText, hint: body.hint ?? '' };
}

export async function signOut(): Promise<void> {
  await send('/session', { method: 'DELETE' }).catch(() => undefined);
  key = '';
  keep(KEY, '');
  location.assign('/ui');
}
