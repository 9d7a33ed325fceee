import { html, raw } from 'hono/html';

/** HTML that was made here: every value in it is escaped. */
export type Html = ReturnType<typeof html>;

/** Words of a description: paragraphs, and `code` between backticks. */
export function prose(text: string | undefined): Html {
  const paragraphs = (text ?? '').trim().split(/\n\s*\n/);
  return html`${paragraphs.map((one) => (one === '' ? '' : html`<p>${inline(one)}</p>`))}`;
}

/** The same within a line. */
export function inline(text: string | undefined): Html {
  const parts = (text ?? '').split('`');
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** Code as it stands, line by line, in a box that scrolls by itself and can be reached with keys. */
export function codeBlock(label: string, text: string): Html {
  return html`<pre tabindex="0" role="region" aria-label="${label}"><code>${text}</code></pre>`;
}

export const NOTHING = raw('');
