/** Asks what is wrong with a text while it is typed: not at each letter, and only what is said of the last one counts. */

/** So long nothing is typed before it is asked, in milliseconds. */
export const CHECK_WAIT_MS = 300;

export interface Checker {
  /** @param isNow without a wait */
  check(text: string, isNow?: boolean): void;
  close(): void;
}

interface Options<T> {
  ask: (text: string) => Promise<T>;
  /** `text` is what the answer is about. */
  onAnswer: (answer: T, text: string) => void;
  onError: (error: unknown, text: string) => void;
  waitMs?: number;
}

export function createChecker<T>({ ask, onAnswer, onError, waitMs = CHECK_WAIT_MS }: Options<T>): Checker {
  let turn = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function run(text: string, own: number): Promise<void> {
    try {
      const answer = await ask(text);
      if (own === turn) onAnswer(answer, text);
    } catch (error) {
      if (own === turn) onError(error, text);
    }
  }

  return {
    check(text, isNow = false) {
      clearTimeout(timer);
      const own = ++turn;
      if (isNow) void run(text, own);
      else timer = setTimeout(() => void run(text, own), waitMs);
    },
    close() {
      clearTimeout(timer);
      turn++;
    },
  };
}
