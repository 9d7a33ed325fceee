import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { keep, recall } from './kept.ts';

/** A key, or two in turn, as `g p`, and what it does. */
export interface Key {
  keys: string;
  label: string;
  run: (event: KeyboardEvent) => void;
  /** A heading in the list of keys. */
  where: string;
}

/** All that do something now. */
export const keys = signal<readonly Key[]>([]);
/** Whether single keys do something; `?` always does. */
export const areKeysOn = signal(recall('keys') !== 'off');

/** Two keys belong together that come within this, in milliseconds. */
const TOGETHER_MS = 900;

export function setKeysOn(on: boolean): void {
  areKeysOn.value = on;
  keep('keys', on ? 'on' : 'off');
}

/** Keys that work while the component is there. The functions may change; what is listed may not. */
export function useKeys(where: string, list: readonly Omit<Key, 'where'>[]): void {
  useLayoutEffect(() => {
    const own = list.map((key) => ({ ...key, where }));
    keys.value = [...keys.value, ...own];
    return () => {
      keys.value = keys.value.filter((key) => !own.includes(key));
    };
  });
}

/** Listens. */
export function startKeys(): void {
  let pressed = '';
  let pressedAt = 0;
  document.addEventListener('keydown', (event) => {
    const target = event.composedPath()[0];
    if (!(target instanceof Element)) return;
    const isTyping = target.closest('input, textarea, select, [contenteditable]') !== null;
    if (event.key === 'Escape' && isTyping && target.closest('dialog') === null)
      (target as HTMLElement).blur();
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector('dialog[open], [role="menu"]') !== null) return;
    if (!areKeysOn.value && event.key !== '?') return;
    const at = performance.now();
    pressed = at - pressedAt < TOGETHER_MS ? `${pressed} ${event.key}` : event.key;
    pressedAt = at;
    const last = (wanted: string) => keys.value.findLast((key) => key.keys === wanted);
    const found = last(pressed) ?? last(event.key);
    if (found !== undefined) {
      pressed = '';
      event.preventDefault();
      found.run(event);
    } else if (!keys.value.some((key) => key.keys.startsWith(`${pressed} `))) pressed = event.key;
  });
}
