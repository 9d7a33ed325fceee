/** `npm test`: prepares the machine, checks types and style, then runs every test file. Nothing is skipped silently. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { ensureBaseImages } from './base-images.ts';
import { buildTests, LIGHTLY } from './built-tests.ts';
import { ensureChromium } from './chromium.ts';
import { ensureEngine } from './engine.ts';
import { ROOT } from './host-settings.ts';
import { ensurePage } from './page.ts';
import { ensurePromtool } from './promtool.ts';
import { makeSay, reportAndExit, SetupError } from './say.ts';
import { ensureTestImage } from './test-image.ts';
import { partsOf } from './test-parts.ts';

const TESTS = join(ROOT, 'test');
/** Most files wait for the engine more than they compute; more starts at once than this gain nothing there. */
const CONCURRENCY = Math.min(8, 2 * availableParallelism() + 1);
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

  const built = await buildTests(partsOf(files));
  say(`Running ${files.length} test files in ${built.paths.length} processes, ${CONCURRENCY} at a time`);
  try {
    process.exitCode = await run([
      ...[process.execPath, ...LIGHTLY, '--test', '--test-reporter=spec'],
      ...[`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${FILE_MS_MAX}`],
      ...built.paths,
    ]);
  } finally {
    await built.remove();
  }
} catch (error) {
  reportAndExit(error);
}

/** All test files, or those whose path holds one of the filters. */
function testFiles(filters: readonly string[]): string[] {
  const all = readdirSync(TESTS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(TESTS, join(entry.parentPath ?? entry.path, entry.name)))
    .map((path) => `test/${path}`)
    .sort();
  const isChosen = (path: string) => filters.length === 0 || filters.some((filter) => path.includes(filter));
  const chosen = all.filter(isChosen);
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
