#!/usr/bin/env node
// `hershctl`, from the sources as they are. Plain Node, so that no loader has to be there first.
import { register } from 'tsx/esm/api';

register();
const { run } = await import('./main.ts');
const { processIo } = await import('./io/process-io.ts');

process.exitCode = await run(process.argv.slice(2), processIo());
// Nobody reads it any more, and it would keep the process.
process.stdin.destroy();
