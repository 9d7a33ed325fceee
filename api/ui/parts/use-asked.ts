import { useEffect, useState } from 'preact/hooks';
import { wordsOfError } from '../state/acts.ts';

/** What a call came to, asked again when `key` is another; what was known stays until then. */
export function useAsked<T>(ask: () => Promise<T>, key: string): { value?: T; why?: string } {
  const [told, tell] = useState<{ value?: T; why?: string }>({});
  useEffect(() => {
    let isOver = false;
    ask().then(
      (value) => isOver || tell({ value }),
      (error: unknown) => isOver || tell({ why: wordsOfError(error) }),
    );
    return () => {
      isOver = true;
    };
  }, [key]);
  return told;
}
