/** What was sent to a program in this tab. */
export interface Sent {
  text: string;
  /** Epoch milliseconds. */
  at: number;
}

const SENT_MAX = 50;

export function sentTo(name: string): Sent[] {
  try {
    return parseSent(sessionStorage.getItem(`hersh-sent-${name}`) ?? '');
  } catch {
    return [];
  }
}

/** What is no such list is an empty one. */
export function parseSent(text: string): Sent[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isSent) : [];
  } catch {
    return [];
  }
}

function isSent(one: unknown): one is Sent {
  return typeof one === 'object' && one !== null && 'text' in one && 'at' in one && typeof one.text === 'string';
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
