import type { Token } from './code-tokens.ts';

/** The pieces of one line, in their inks. */
export function CodeLine({ tokens }: { tokens: readonly Token[] }) {
  return (
    <span class="src">
      {tokens.map(({ text, ink }, at) =>
        ink === undefined ? (
          text
        ) : (
          <span key={at} class={`c-${ink}`}>
            {text}
          </span>
        ),
      )}
    </span>
  );
}
