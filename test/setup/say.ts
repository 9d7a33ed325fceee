/** Tells a person what is going on: one line a step, with the time since the beginning. */
export type Say = (line: string) => void;

/** What stops the preparation. The message is for people and says what to do; no stack is shown. */
export class SetupError extends Error {}

const coloured = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

export function makeSay(startedAt = Date.now()): Say {
  return (line) => {
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(6);
    console.log(`${dim(`${seconds}s`)}  ${line}`);
  };
}

export function dim(text: string): string {
  return coloured ? `\u001b[2m${text}\u001b[22m` : text;
}

export function bold(text: string): string {
  return coloured ? `\u001b[1m${text}\u001b[22m` : text;
}

/** Ends the process with code 1 and the reason: only the message where it is one that we wrote for people. */
export function reportAndExit(error: unknown): never {
  if (error instanceof SetupError) console.error(`\n${error.message}`);
  else console.error(error);
  process.exit(1);
}
