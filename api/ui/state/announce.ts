import { signal } from '@preact/signals';

/** What is said to screen readers, politely, one thing at a time. */
export const announced = signal('');

export function announce(text: string): void {
  announced.value = text;
}
