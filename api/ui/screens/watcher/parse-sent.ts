/** What was sent to a program in this tab. */
export interface Sent {
  text: string;
  /** Epoch milliseconds. */
  at: number;
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
  return (
    typeof one === 'object' && one !== null && 'text' in one && 'at' in one && typeof one.text === 'string'
  );
}
