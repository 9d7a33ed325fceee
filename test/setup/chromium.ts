import { aptInstall } from './apt.ts';
import { findCommand } from './command.ts';
import type { Say } from './say.ts';

/** Debian's name first: that is the one the tests are made with. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The path of a Chromium, for the tests of the page; installed where there is none, which is said first. */
export async function ensureChromium(say: Say): Promise<string> {
  const found = findChromium();
  if (found !== undefined) return found;
  await aptInstall(say, 'the tests of the page', ['chromium'], ['fonts-inter', 'fonts-dejavu-core']);
  const path = findChromium();
  if (path === undefined) throw new Error('apt-get installed chromium, and it is not on the path');
  return path;
}

/** Undefined where there is none. */
export function findChromium(): string | undefined {
  for (const name of NAMES) {
    const path = findCommand(name);
    if (path !== undefined) return path;
  }
  return undefined;
}
