import type { ComponentChildren } from 'preact';
import { now } from '../state/now.ts';
import { withClocks } from '../words/span.ts';
import { isMany, type Words } from '../words/words.ts';
import { Copy } from './copy.tsx';
import { Time } from './time.tsx';

/** Draws words. */
export function Says({ words }: { words: Words }): ComponentChildren {
  if (typeof words === 'string') return withClocks(words, now.peek());
  if (isMany(words)) return words.map((one, at) => <Says key={at} words={one} />);
  if ('mono' in words) return <span class="mono">{withClocks(words.mono, now.peek())}</span>;
  if ('copy' in words) return <Copy text={words.copy} />;
  if ('firm' in words) return <b>{words.firm}</b>;
  if ('link' in words) return <a href={words.to}>{words.link}</a>;
  if ('in' in words) return <Time at={words.in} how="in" />;
  return <Time at={words.ago} />;
}
