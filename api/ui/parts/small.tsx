import type { ComponentChildren } from 'preact';

export function Mono({ children, title }: { children: ComponentChildren; title?: string }) {
  return (
    <span class="mono" title={title}>
      {children}
    </span>
  );
}

/** Text for screen readers alone. */
export function Unseen({ children }: { children: ComponentChildren }) {
  return <span class="hidden">{children}</span>;
}

/** A link that leaves the page. */
export function Outside({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <a class="out" href={href} rel="noreferrer" target="_blank">
      {children}
      <span class="arrow" aria-hidden="true">
        ↗
      </span>
      <Unseen> (opens in a new tab)</Unseen>
    </a>
  );
}

/** As they are printed on the key. */
const PRINTED: Readonly<Record<string, string>> = { ArrowUp: '↑', ArrowDown: '↓' };

/** Keys in turn: `g p`. */
export function Keys({ keys }: { keys: string }) {
  return keys.split(' ').map((key, at) => [at > 0 ? ' ' : '', <kbd key={key}>{PRINTED[key] ?? key}</kbd>]);
}

/** What an action came to, said beside it, staying until the next. No toasts. */
export function Result({ role = '', children }: { role?: string; children: ComponentChildren }) {
  return (
    <p class={`result ${role}`.trim()} role="status">
      {children}
    </p>
  );
}
