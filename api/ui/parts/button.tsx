import type { ComponentChildren } from 'preact';

interface Props {
  children: ComponentChildren;
  onClick?: ((event: MouseEvent) => void) | undefined;
  /** primary, quiet, text, small, danger, solid: any, with spaces. */
  kind?: string;
  disabled?: boolean | undefined;
  title?: string | undefined;
  label?: string | undefined;
  /** As `aria-keyshortcuts` has them. */
  keys?: string | undefined;
  pressed?: boolean | undefined;
  expanded?: boolean | undefined;
}

/** A button, of one look all over the page. @param props.label for screen readers, where its text alone says too little */
export function Button({
  children,
  onClick,
  kind = '',
  disabled,
  title,
  label,
  keys,
  pressed,
  expanded,
}: Props) {
  return (
    <button
      type="button"
      class={`button ${kind}`.trim()}
      onClick={onClick}
      disabled={disabled}
      title={title}
      aria-label={label}
      aria-keyshortcuts={keys}
      aria-pressed={pressed}
      aria-expanded={expanded}
    >
      {children}
    </button>
  );
}
