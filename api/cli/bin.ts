import { EXIT } from './io/exit.ts';
import { isInterrupted } from './io/io.ts';
import { processIo } from './io/process-io.ts';
import { run } from './main.ts';

/** The process: `hershctl`. */
const io = processIo();
process.exitCode = await run(process.argv.slice(2), io);
// Nobody reads it any more, and it would keep the process.
process.stdin.destroy();
// So does a full pipe that nobody reads, until Ctrl-C: nothing is under way any more but what stands in it.
if (isInterrupted(io)) process.exit();
io.signal.addEventListener('abort', () => {
  if (isInterrupted(io)) process.exit(EXIT.interrupted);
});
