import { Sign } from '../../parts/glyph.tsx';
import { clock } from '../../words/span.ts';

export function Lost({ since }: { since: number }) {
  return (
    <p class="news lost">
      <Sign role="warn" />
      <span>
        The host does not answer; this is from {clock(since)}. What was sent is safe there, and goes on by
        itself. What is typed here stays.
      </span>
    </p>
  );
}
