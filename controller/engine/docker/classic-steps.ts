import type { StepNews } from '../../../schemas/build-step.ts';

export interface ClassicSteps {
  /** Takes what the builder prints. */
  take(text: string): void;
  /** The build went well, and with it the step that was on. */
  end(): void;
}

/**
 * The steps of a builder that prints text alone, as Docker's classic one and Podman do: `Step 2/5 : RUN make`, what it
 * prints, ` ---> Using cache`. It tells neither times nor which step failed: the one that never ends.
 */
export function createClassicSteps(tell: (news: StepNews) => void): ClassicSteps {
  let number = 0;
  let isOpen = false;
  let isCached = false;
  let partial = '';
  const close = (): void => {
    if (isOpen) tell({ kind: 'end', number, completed: null, cached: isCached, error: '' });
    isOpen = false;
    isCached = false;
  };
  const line = (text: string): void => {
    const name = /^step \d+(?:\/\d+)? ?: (.+)$/i.exec(text)?.[1];
    if (name !== undefined) {
      close();
      number += 1;
      isOpen = true;
      tell({ kind: 'step', number, name, started: null });
    } else if (/^ ?--->? Using cache/i.test(text)) isCached = true;
    else if (isOpen && text !== '' && !/^ ---> /.test(text)) tell({ kind: 'output', number, text });
  };
  return {
    take(text) {
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const one of lines) line(one.replace(/\r$/, ''));
    },
    end() {
      if (partial !== '') line(partial);
      partial = '';
      close();
    },
  };
}
