import { processIo } from './io/process-io.ts';
import { run } from './main.ts';

/** The process: `hershctl`. */
process.exitCode = await run(process.argv.slice(2), processIo());
// Nobody reads it any more, and it would keep the process.
process.stdin.destroy();
