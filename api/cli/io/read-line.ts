import { Interrupted } from './exit.ts';
import type { Io } from './io.ts';

/** Gives a line after the other that somebody types; `""` behind the last. @param goesOn what is said at Ctrl-C */
export function lineReader({ stdin, signal, stderr }: Io, goesOn: string): () => Promise<string> {
  const iterator = stdin[Symbol.asyncIterator]();
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  let rest = '';
  return async () => {
    while (!rest.includes('\n')) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next === 'aborted') {
        stderr.write('\n');
        throw new Interrupted(goesOn);
      }
      if (next.done === true) break;
      rest += typeof next.value === 'string' ? next.value : Buffer.from(next.value).toString('utf8');
    }
    const [line = '', ...more] = rest.split('\n');
    rest = more.join('\n');
    return line;
  };
}
