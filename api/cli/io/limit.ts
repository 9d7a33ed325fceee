import { setMaxListeners } from 'node:events';
import { Interrupted } from './exit.ts';
import type { Io } from './io.ts';

/** The same world, which also ends after a time. @param ms 0: it does not */
export function createLimit(io: Io, ms: number): { io: Io; isOver(): boolean; end(): void } {
  const [over, ended] = [new AbortController(), new AbortController()];
  const signal = AbortSignal.any([io.signal, over.signal]);
  setMaxListeners(0, signal);
  if (ms > 0)
    void io.delay(ms, ended.signal).then(() => {
      if (!ended.signal.aborted) over.abort(new Interrupted());
    });
  return {
    io: { ...io, signal },
    isOver: () => over.signal.aborted && !io.signal.aborted,
    end: () => ended.abort(),
  };
}
