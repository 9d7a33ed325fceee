/** What this browser remembers: small, and nothing that is missed where it may not. */

export function recall(key: string): string {
  try {
    return localStorage.getItem(`hersh-${key}`) ?? '';
  } catch {
    return '';
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`hersh-${key}`, value);
  } catch {
    // A private window, or no room.
  }
}
