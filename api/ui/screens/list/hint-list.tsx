import type { Hint } from './hints.ts';

interface Props {
  hints: readonly Hint[];
  at: number;
  take: (text: string) => void;
}

/** What can be said in the search field. */
export function Hints({ hints, at, take }: Props) {
  return (
    <div class="hints" id="hints" role="listbox" aria-label="Filters" hidden={hints.length === 0}>
      {hints.map(({ text, note }, place) => (
        <div
          key={text}
          class="hint-row"
          role="option"
          id={`hint-${place}`}
          aria-selected={place === at}
          onPointerDown={(event) => {
            // The focus stays in the field.
            event.preventDefault();
            take(text);
          }}
        >
          <span class="mono">{text}</span>
          <span class="note">{note}</span>
        </div>
      ))}
    </div>
  );
}
