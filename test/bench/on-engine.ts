import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { engineNamed } from '../other-engines/engines.ts';
import { openOtherEngine } from '../other-engines/open-engine.ts';
import { ensureUnpacked } from '../other-engines/unpacked.ts';
import { type Say, SetupError } from '../setup/say.ts';
import { ensureTestImage } from '../setup/test-image.ts';
import { ensureWrk } from './load.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/**
 * Measures on another engine, which is opened for it and ended afterwards: the same benchmark in a process on that
 * engine's network. Gives its exit code.
 */
export async function measureOn(say: Say, name: string, argv: readonly string[]): Promise<number> {
  const row = engineNamed(name);
  if (process.getuid?.() !== 0) throw new SetupError('An engine in namespaces of its own needs root.');
  // In there, nothing can be fetched.
  await ensureWrk(say);
  const engine = await openOtherEngine(await ensureUnpacked(say, row.suite), row.flags);
  try {
    const { Version: version } = await engine.docker.version();
    if (!version.startsWith(row.version)) throw new SetupError(`${row.name} is Docker ${version} by now`);
    say(`On ${row.name}: Docker ${version}`);
    await ensureTestImage(say, engine.docker);
    return await measure(engine.network, engine.host, argv);
  } finally {
    await engine.close();
  }
}

/** Ctrl-C reaches it too, and it ends in good order by itself. */
function measure(network: readonly string[], host: string, argv: readonly string[]): Promise<number> {
  const [command = '', ...args] = [...network, process.execPath, '--import', 'tsx', MAIN, ...argv];
  const env = { ...process.env, DOCKER_HOST: host };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
    const wait = (): void => {};
    process.on('SIGINT', wait);
    process.on('SIGTERM', () => child.kill());
    child.once('error', reject).once('exit', (code) => {
      process.off('SIGINT', wait);
      resolve(code ?? 1);
    });
  });
}
