import { useEffect, useState } from 'preact/hooks';
import type { UsageBody } from '../../../routes/usage.ts';
import type { ProgramBody } from '../../../routes/view.ts';
import { wordsOfError } from '../../state/acts.ts';
import { client } from '../../state/client.ts';
import { type Figures, figuresOf, NO_FIGURES } from './figures.ts';

/** A new step of the series comes so often, in milliseconds. */
const EVERY_MS = { '1h': 15_000, '7d': 300_000 } as const;

/** What the program used over that time, asked for as often as there is something new. */
export function useFigures(p: ProgramBody, range: '1h' | '7d'): Figures {
  const [told, tell] = useState<{ range: string; body?: UsageBody; why?: string }>();
  const name = p.program_id;
  useEffect(() => {
    let isOver = false;
    const ask = () =>
      client.usage(name, range).then(
        (body) => isOver || tell({ range, body }),
        (error: unknown) => isOver || tell({ range, why: wordsOfError(error) }),
      );
    void ask();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void ask();
    }, EVERY_MS[range]);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [name, range]);
  if (told === undefined || told.range !== range) return { ...NO_FIGURES, why: '…' };
  return told.body === undefined ? { ...NO_FIGURES, why: told.why ?? '' } : figuresOf(told.body, p.limits);
}
