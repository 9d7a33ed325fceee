/**
 * `npm run test:engines`: the suites that need an engine, on others than this machine's, one after the other.
 *
 *   npm run test:engines -- [--on 28.5] [contract e2e/host …]
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type Docker from 'dockerode';
import { BASES, ensureBaseImages } from '../setup/base-images.ts';
import { ensureEngine } from '../setup/engine.ts';
import { ROOT } from '../setup/host-settings.ts';
import { messages } from '../setup/images.ts';
import { makeSay, reportAndExit, type Say, SetupError } from '../setup/say.ts';
import { ensureTestImage } from '../setup/test-image.ts';
import { ENGINES, type EngineRow, engineNamed } from './engines.ts';
import { type OtherEngine, openOtherEngine } from './open-engine.ts';
import { ensureUnpacked } from './unpacked.ts';

const SUITES = ['test/engine', 'test/e2e'];
/** Each engine is on the same cores: more at once only makes waits longer. */
const CONCURRENCY = 2;
const FILE_MS_MAX = 900_000;
/** What the guide's program is built from. */
const NEEDED = ['debian', 'go'] as const;

const say = makeSay();
/** Ends the tests under way; the engine is then closed as after any. */
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
try {
  const { values, positionals } = parseArgs({
    options: { on: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const rows = chosenRows(values.on);
  const files = chosenFiles(positionals);
  if (process.getuid?.() !== 0)
    throw new SetupError('Engines in namespaces of their own need root: run this as root.');
  const shared = await ensureEngine(say, { gvisor: true });
  // There the network is: in there, nothing can be fetched.
  await ensureBaseImages(say, shared, files.some((path) => path.includes('guide')) ? NEEDED : []);
  const results: string[] = [];
  for (const row of rows) {
    if (stopped.signal.aborted) throw new SetupError('Stopped');
    const result = await runOn(row, files, shared);
    results.push(result);
    if (!result.endsWith('passed')) process.exitCode = 1;
  }
  for (const result of results) say(result);
} catch (error) {
  reportAndExit(error);
}

function chosenRows(names: readonly string[] = []): readonly EngineRow[] {
  const rows = names.map(engineNamed);
  return names.length === 0 ? ENGINES : ENGINES.filter((row) => rows.includes(row));
}

function chosenFiles(filters: readonly string[]): string[] {
  const all = SUITES.flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name}`),
  );
  const chosen = all.filter(
    (path) => filters.length === 0 || filters.some((filter) => path.includes(filter)),
  );
  if (chosen.length === 0) throw new SetupError(`No test file of ${SUITES.join(' and ')} matches`);
  return chosen;
}

/** Gives how it went, in words. */
async function runOn(row: EngineRow, files: readonly string[], shared: Docker): Promise<string> {
  const engine = await openOtherEngine(await ensureUnpacked(say, row.suite), row.flags);
  try {
    const { Version: version, ApiVersion: api } = await engine.docker.version();
    const name = `${row.name}: Docker ${version}, API ${api}`;
    // Debian goes on; what then runs is told, and is not what was asked for.
    const other = version.startsWith(row.version) ? '' : `, though it should be ${row.version}`;
    say(`On ${name}${other}`);
    await giveImages(say, shared, engine);
    const code = await runTests(engine, files);
    return `${name}${other}: ${code === 0 && other === '' ? 'passed' : `exit code ${code}`}`;
  } finally {
    await engine.close();
  }
}

async function giveImages(tell: Say, shared: Docker, { docker }: OtherEngine): Promise<void> {
  await ensureTestImage(tell, docker);
  for (const { own } of NEEDED.map((base) => BASES[base])) {
    const there = await shared.listImages({ filters: { reference: [own] } });
    if (there.length > 0) await loadInto(docker, await shared.getImage(own).get());
  }
}

/** To its end: the image is there after the last word of the answer. */
async function loadInto(docker: Docker, archive: NodeJS.ReadableStream): Promise<void> {
  for await (const { error } of messages(await docker.loadImage(archive)))
    if (error !== undefined) throw new SetupError(`An image could not be loaded: ${error}`);
}

function runTests({ network, host }: OtherEngine, files: readonly string[]): Promise<number> {
  const [command = '', ...args] = [
    ...[...network, process.execPath, '--import', 'tsx', '--test', '--test-reporter=spec'],
    ...[`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${FILE_MS_MAX}`, ...files],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, DOCKER_HOST: host },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const end = (): boolean => child.kill();
    stopped.signal.addEventListener('abort', end, { once: true });
    if (stopped.signal.aborted) end();
    child.once('error', reject).once('exit', (code, signal) => {
      if (signal !== null) say(`The tests were ended by ${signal}`);
      stopped.signal.removeEventListener('abort', end);
      resolve(code ?? 1);
    });
  });
}
