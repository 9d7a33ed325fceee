// The first thing that runs in a fresh clone: plain Node, no dependencies, so that it can bring them.
//
//   node test/setup/prepare.mjs quickstart|test [args…]
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 20;
const TARGETS = { quickstart: 'quickstart.ts', test: 'run-tests.ts' };

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '..', '..');

const [target, ...args] = process.argv.slice(2);
const script = Object.hasOwn(TARGETS, target ?? '') ? TARGETS[target] : undefined;
if (script === undefined)
  fail(`usage: node test/setup/prepare.mjs ${Object.keys(TARGETS).join('|')} [args…]`);

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  fail(
    `Hersh Host needs Node ${NODE_MAJOR_MIN} or newer; this is ${process.version} (${process.execPath}).`,
    'Install a newer one from your distribution or nodejs.org, and try again.',
  );
}

if (!dependenciesMatch()) {
  console.log('Installing dependencies from the lock file (npm ci)');
  const code = await run(...npm(), 'ci', '--include=dev', '--no-audit', '--no-fund');
  if (code !== 0) fail(`npm ci failed (exit code ${code}); its words are above.`);
}

process.exitCode = await run(process.execPath, '--import', 'tsx', join(here, script), ...args);

/**
 * Whether node_modules holds what the lock file says. npm leaves its own copy of the lock there as the last
 * step of an install, so this sees an install of any origin, and one that was cut short.
 */
function dependenciesMatch() {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  const wanted = packagesOf(join(root, 'package-lock.json'));
  if (wanted === undefined) fail('package-lock.json is missing or damaged: is this a whole clone?');
  if (installed === undefined || !existsSync(join(root, 'node_modules', 'tsx'))) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    // Optional ones are other platforms' binaries.
    if (found === undefined) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** npm as it called us, where it did: on some machines it is not on the path under its own name. */
function npm() {
  const script = process.env.npm_execpath;
  return script?.endsWith('.js') ? [process.execPath, script] : ['npm'];
}

/** Runs a command in the clone, passes signals on, and gives its exit code as a shell would. */
function run(command, ...argv) {
  return new Promise((done) => {
    const child = spawn(command, argv, { cwd: root, stdio: 'inherit' });
    const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, () => child.kill(signal)]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    const end = (code) => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
      done(code);
    };
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      end(127);
    });
    child.on('exit', (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

function fail(...lines) {
  for (const line of lines) console.error(line);
  process.exit(1);
}
