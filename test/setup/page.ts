import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runCommand } from './command.ts';
import { ROOT } from './host-settings.ts';
import { type Say, SetupError } from './say.ts';

/** What the page is made of, below the checkout: what it shares with the host, and the examples that it offers, too. */
const SOURCES = [
  ...['api/ui', 'api/client.ts', 'api/client-streams.ts', 'api/server-sent-events.ts', 'schemas'],
  ...['registry/contexts', 'examples', 'package-lock.json'],
];
/** What a build makes, and what it is made in. */
const BUILT = /^dist(-|$)/;

/** Builds the page where it was not built, or something that it is made of has changed since. */
export async function ensurePage(say: Say, root = ROOT): Promise<void> {
  if (!isPageStale(root)) return;
  say('Building the page (npm run build)');
  const { code, output } = await runCommand(
    [process.execPath, '--import', 'tsx', join('api', 'ui', 'build', 'main.ts')],
    { cwd: root },
  );
  if (code !== 0) throw new SetupError(`The page can not be built:\n${lastLines(output, 25)}`);
}

/** Whether `api/ui/dist/` is not there, or older than something that it is made of. */
export function isPageStale(root: string): boolean {
  const shell = statSync(join(root, 'api', 'ui', 'dist', 'index.html'), { throwIfNoEntry: false });
  return shell === undefined || SOURCES.some((path) => newestMs(join(root, path)) > shell.mtimeMs);
}

/** Of a file, or of all in a folder; 0 where there is none. Of folders in it too: what was removed leaves its time there. */
function newestMs(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  const below = readdirSync(path, { withFileTypes: true }).filter((entry) => !BUILT.test(entry.name));
  const times = below.map((entry) => {
    const inner = join(path, entry.name);
    const own = entry.isDirectory() ? statSync(inner).mtimeMs : 0;
    return Math.max(own, newestMs(inner));
  });
  return Math.max(0, ...times);
}
