import { computed, type ReadonlySignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { now } from '../../state/now.ts';
import { exactTime, span } from '../../words/span.ts';
import { soon } from '../../words/words.ts';

interface Props {
  /** Epoch milliseconds. */
  at: number;
  /** `3 min`, or `in 41 s`. */
  how: 'for' | 'in';
  isNear: ReadonlySignal<boolean>;
  /** Its class. */
  kind?: string;
  /** Default: the time itself, of one to come. */
  title?: string;
}

/** A time that stays true while it is near to what is seen. Only its text is drawn anew, and only where that changes. */
export function Ticking({ at, how, isNear, kind, title }: Props) {
  const text = useMemo(
    () =>
      computed(() => {
        const nowMs = isNear.value ? now.value : now.peek();
        return how === 'in' ? soon(at, nowMs) : span(nowMs - at);
      }),
    [at, how, isNear],
  );
  return (
    <time
      class={kind}
      dateTime={new Date(at).toISOString()}
      title={title ?? (how === 'in' ? exactTime(at) : undefined)}
    >
      {text}
    </time>
  );
}
