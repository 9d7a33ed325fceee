import { parseSent, type Sent } from './parse-sent.ts';

const SENT_MAX = 50;

export function sentTo(name: string): Sent[] {
  try {
    return parseSent(sessionStorage.getItem(`hersh-sent-${name}`) ?? '');
  } catch {
    return [];
  }
}

/** @returns the list with it, the newest last */
export function noteSent(name: string, text: string): Sent[] {
  const list = [...sentTo(name), { text, at: Date.now() }].slice(-SENT_MAX);
  try {
    sessionStorage.setItem(`hersh-sent-${name}`, JSON.stringify(list));
  } catch {
    // No room, or not allowed: it is remembered as long as the part is open.
  }
  return list;
}
