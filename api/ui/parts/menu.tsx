import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** null draws a line. `why` says why it can not be done now. */
export type MenuItem = {
  label: string;
  keys?: string | undefined;
  run?: (() => void) | undefined;
  href?: string | undefined;
  isDanger?: boolean;
  why?: string | undefined;
} | null;

/** @param props.items asked for when it opens, @param props.label what it is for */
export function Menu({
  label,
  items,
  kind = 'quiet',
}: {
  label: string;
  items: () => readonly MenuItem[];
  kind?: string;
}) {
  const [isOpen, open] = useState(false);
  const wrap = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = (hasFocus: boolean) => {
    open(false);
    if (hasFocus) button.current?.focus();
  };
  return (
    <span class={`menu-wrap${isOpen ? ' open' : ''}`} ref={wrap}>
      <button
        ref={button}
        type="button"
        class={`button menu-button ${kind}`.trim()}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={label}
        title={label}
        onClick={() => (isOpen ? close(true) : open(true))}
      >
        ⋯
      </button>
      {isOpen && <Items {...{ label, close, wrap }} items={items()} />}
    </span>
  );
}

interface ItemsProps {
  label: string;
  items: readonly MenuItem[];
  close: (hasFocus: boolean) => void;
  /** What a click outside of closes it. */
  wrap: RefObject<HTMLElement | null>;
}

function Items({ label, items, close, wrap }: ItemsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && wrap.current?.contains(event.target) !== true) close(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, []);
  const all = () => [...(list.current?.querySelectorAll<HTMLElement>('.menu-item') ?? [])];
  // At once, and not after a frame: the next key may come before that.
  useLayoutEffect(() => {
    if (list.current && list.current.getBoundingClientRect().bottom > innerHeight - 8)
      list.current.classList.add('up');
    all()[0]?.focus();
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const found = all();
    const at = found.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: found.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      found[(to + found.length) % found.length]?.focus();
    }
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.stopPropagation();
      close(event.key === 'Escape');
    }
  };
  return (
    <div class="menu" role="menu" tabIndex={-1} aria-label={label} ref={list} onKeyDown={onKeyDown}>
      {items.map((item, at) =>
        item === null ? (
          <div key={at} class="menu-line" role="separator" />
        ) : (
          <Item key={item.label} item={item} close={close} />
        ),
      )}
    </div>
  );
}

function Item({ item, close }: { item: NonNullable<MenuItem>; close: (hasFocus: boolean) => void }) {
  const { label, keys, run, href, isDanger, why } = item;
  const inside = [
    <span key="label">{label}</span>,
    keys && (
      <kbd key="keys" aria-hidden="true">
        {keys}
      </kbd>
    ),
    why && (
      <span key="why" class="why">
        {why}
      </span>
    ),
  ];
  if (href !== undefined)
    return (
      <a class="menu-item" role="menuitem" tabIndex={-1} href={href} onClick={() => close(false)}>
        {inside}
      </a>
    );
  const act = () => {
    if (why !== undefined) return;
    close(true);
    run?.();
  };
  return (
    <button
      class={`menu-item${isDanger === true ? ' danger' : ''}`}
      role="menuitem"
      tabIndex={-1}
      type="button"
      aria-disabled={why !== undefined ? true : undefined}
      onClick={act}
    >
      {inside}
    </button>
  );
}
