#!/usr/bin/env node
// Starts the host where it is installed: of the package, `hersh-host`. What it runs lies beside it (packaging/build.ts).
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runKept } from './run-kept.mjs';

const { CACHE_DIRECTORY, XDG_CACHE_HOME } = process.env;
// systemd names the service's own; anybody else has one at home.
const folder = CACHE_DIRECTORY || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'hersh-host');
runKept(join(dirname(fileURLToPath(import.meta.url)), 'hersh-host.cjs'), folder);
