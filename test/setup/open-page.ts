import { spawn } from 'node:child_process';
import { findCommand } from './command.ts';

/** What decides whether a browser can be opened, and how it is. */
export interface Desktop {
  platform: NodeJS.Platform;
  env: Readonly<Record<string, string | undefined>>;
  /** Somebody reads what we print. */
  isTerminal: boolean;
  /** The full path of a command, or undefined. */
  find(name: string): string | undefined;
  start(command: string, args: readonly string[]): void;
}

const here: Desktop = {
  platform: process.platform,
  env: process.env,
  isTerminal: process.stdout.isTTY === true,
  find: findCommand,
  start(command, args) {
    const child = spawn(command, args, { detached: true, stdio: 'ignore' });
    // The address was printed: who has no browser can still copy it.
    child.on('error', () => {});
    child.unref();
  },
};

/** Opens the address in the browser of whoever sits before this machine, and says whether it did. */
export function openPage(url: string, desktop: Desktop = here): boolean {
  const opener = openerOf(desktop);
  if (opener === undefined) return false;
  desktop.start(opener, [url]);
  return true;
}

function openerOf({ platform, env, isTerminal, find }: Desktop): string | undefined {
  if (!isTerminal || isSet(env.CI)) return undefined;
  if (platform === 'darwin') return find('open');
  const hasScreen = isSet(env.DISPLAY) || isSet(env.WAYLAND_DISPLAY);
  return platform === 'linux' && hasScreen ? find('xdg-open') : undefined;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}
