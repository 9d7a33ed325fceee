/** `hershctl`: a client of the API for a terminal, a script or a CI job. */

import { createRun, type GlobalOptions, type Run, type Use } from './commands/run.ts';
import { EXIT } from './io/exit.ts';
import { type Io, isInterrupted } from './io/io.ts';
import { createProgram } from './program.ts';
import { tell } from './tell.ts';

/** Does what was typed, without the name of the command itself. Gives its exit code, and rejects nothing. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok;
  const use: Use =
    (act) =>
    async (...args) => {
      code = (await act(call, ...args)) ?? EXIT.ok;
    };
  const program = createProgram(io, use);
  const call: Run = createRun(io, () => program.opts<GlobalOptions>());
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
    return isInterrupted(io) ? EXIT.interrupted : code;
  } catch (error) {
    // A host that was never opened has no trouble.
    const host = error instanceof Error && !io.signal.aborted ? await call.opened() : undefined;
    return tell(error, io, host?.trouble());
  } finally {
    call.close();
  }
}
