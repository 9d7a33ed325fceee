import { useEffect, useRef, useState } from 'preact/hooks';
import { client } from '../../state/client.ts';
import { plainText } from '../logs/log-rows.ts';

/** For so long after a message, what is printed is shown beside it, in milliseconds. */
const AFTER_MS = 10_000;
const LINES_MAX = 200;

/** What a program prints after something was done, for a while. @returns the lines, undefined before; and the doing */
export function useAfter(name: string): {
  lines: readonly string[] | undefined;
  isOpen: boolean;
  around: (work: () => Promise<void>) => Promise<void>;
} {
  const [lines, set] = useState<readonly string[]>();
  const [isOpen, open] = useState(false);
  const last = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => last.current?.abort(), [name]);

  const around = async (work: () => Promise<void>) => {
    last.current?.abort();
    const abort = new AbortController();
    last.current = abort;
    // The end of the log is asked for first, so that a quick answer is not missed.
    const after = (await client.logs(name, { tail: 0 }).catch(() => undefined))?.after;
    await work();
    set([]);
    if (after == null || abort.signal.aborted) return;
    open(true);
    void follow(name, after, abort, (text) =>
      set((before = []) => [...before, text].slice(-LINES_MAX)),
    ).finally(() => {
      if (last.current === abort) open(false);
    });
  };
  return { lines, isOpen, around };
}

async function follow(
  name: string,
  after: string,
  abort: AbortController,
  onLine: (text: string) => void,
): Promise<void> {
  const timer = setTimeout(() => abort.abort(), AFTER_MS);
  try {
    for await (const message of client.followLogs(name, after, abort.signal))
      if (message.event === 'line') onLine(plainText(message.data.text));
  } catch {
    // Its time is over, or the stream is: what came stands there.
  } finally {
    clearTimeout(timer);
  }
}
