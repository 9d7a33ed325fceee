/** `npm test`: prepares the machine, checks types and style, then runs every test file. Nothing is skipped silently. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { ensureBaseImages } from './base-images.ts';
import { ensureChromium } from './chromium.ts';
import { ensureEngine } from './engine.ts';
import { ROOT } from './host-settings.ts';
import { ensurePage } from './page.ts';
import { ensurePromtool } from './promtool.ts';
import { makeSay, reportAndExit, SetupError } from './say.ts';
import { ensureTestImage } from './test-image.ts';
import { processTestFiles, unitTestFiles } from './unit-test-files.ts';

const TESTS = join(ROOT, 'test');
/** Each runs many test files in one process, which costs a fifth of a process for each. */
const TOGETHER = ['test/unit.ts', 'test/processes.ts'];
/** Most files wait for the engine more than they compute; more than four starts at once gain nothing there. */
const CONCURRENCY = Math.min(4, Math.max(2, availableParallelism()));
/**
 * It makes a failure of what would hang for ever, and measures nothing: the simulation takes 2 minutes on a machine of
 * its own and was seen to take more than 8 at a load of 25.
 */
const FILE_MS_MAX = 3_600_000;

const say = makeSay();
try {
  const files = testFiles(process.argv.slice(2));
  const docker = await ensureEngine(say, { gvisor: true });
  await ensureBaseImages(say, docker);
  await ensureTestImage(say, docker);
  if (files.some((file) => file.startsWith('test/page/'))) await ensureChromium(say);
  if (files.some((file) => file.startsWith('test/monitoring/'))) await ensurePromtool(say);
  await ensurePage(say);

  say('Checking types, style and imports (npm run check)');
  const npm = process.env.npm_execpath?.endsWith('.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  const checked = await run([...npm, 'run', '--silent', 'check']);
  if (checked !== 0) process.exit(checked);

  say(`Running ${files.length} test files, ${CONCURRENCY} at a time`);
  process.exitCode = await run([
    process.execPath,
    '--import',
    'tsx',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${FILE_MS_MAX}`,
    ...files,
  ]);
} catch (error) {
  reportAndExit(error);
}

/** All test files, or those whose path holds one of the filters. Named one by one: Node 20 expands no `**`. */
function testFiles(filters: readonly string[]): string[] {
  const all = readdirSync(TESTS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(TESTS, join(entry.parentPath ?? entry.path, entry.name)))
    .map((path) => `test/${path}`)
    .sort();
  if (filters.length === 0 && all.length > 0) {
    const together = new Set([...unitTestFiles(), ...processTestFiles()]);
    return [...TOGETHER, ...all.filter((path) => !together.has(path))];
  }
  const chosen = all.filter((path) => filters.some((filter) => path.includes(filter)));
  if (chosen.length === 0) {
    throw new SetupError(
      filters.length > 0 ? `No test file matches ${filters.join(', ')}` : 'There are no test files in test/',
    );
  }
  return chosen;
}

/** Gives the exit code as a shell would, and passes signals on. */
function run(argv: readonly string[]): Promise<number> {
  const [command = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
    const pass = (signal: NodeJS.Signals) => child.kill(signal);
    // Ctrl-C may come twice, by the terminal and by npm: what runs tidies up, and this waits for it.
    process.on('SIGINT', pass).on('SIGTERM', pass);
    child.on('error', reject);
    child.on('exit', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}
