import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup/host-settings.ts';

/** The page is a house of its own in the one of the API: it knows the API as any client does, and nobody knows it. */
export const PAGE = 'api/ui';

/** What the page knows of the host: words of all, and types of what is asked and answered. */
const TOLD = ['schemas', 'api/client.ts', 'api/deps.ts', 'api/errors.ts', 'api/routes'];
const BELOW_SCREENS = ['api/ui/words', 'api/ui/state', 'api/ui/parts'];

/** Screens that others are part of. */
const SCREENS_KNOW: Record<string, string[]> = {
  program: ['logs', 'manifest', 'revisions', 'watcher'],
};

const screens = namesIn('api/ui/screens');
const inScreens = (names: readonly string[]) => names.map((name) => `api/ui/screens/${name}`);

/** Made, not served. */
export const PAGE_TOOLS: Record<string, string[]> = {
  'api/ui/vite.config.ts': [],
  'api/ui/build': ['schemas'],
};

/** The rooms of what browsers get, each with those it may import beside itself. */
export const PAGE_ROOMS: Record<string, string[]> = known({
  'api/ui/words': TOLD,
  'api/ui/state': [...TOLD, 'api/ui/words'],
  'api/ui/parts': [...TOLD, 'api/ui/words', 'api/ui/state'],
  ...Object.fromEntries(
    screens.map((name) => [
      `api/ui/screens/${name}`,
      [...TOLD, ...BELOW_SCREENS, ...inScreens(SCREENS_KNOW[name] ?? [])],
    ]),
  ),
  'api/ui/main.tsx': [...TOLD, ...BELOW_SCREENS, ...inScreens(screens)],
});

const SHOWING = ['api/ui/parts', ...inScreens(screens), 'api/ui/main.tsx'];
const EDITOR = inScreens(['manifest']);

/** The libraries of the page, each with the rooms that may name it. */
export const PAGE_LIBRARIES: Record<string, string[]> = known({
  vite: Object.keys(PAGE_TOOLS),
  preact: SHOWING,
  '@preact/signals': ['api/ui/state', ...SHOWING],
  codemirror: EDITOR,
  '@codemirror/lang-yaml': EDITOR,
  '@codemirror/language': EDITOR,
  '@codemirror/lint': EDITOR,
  '@codemirror/state': EDITOR,
  '@codemirror/view': EDITOR,
  diff: ['api/ui/words', ...inScreens(['manifest', 'revisions'])],
});

/** Whose values, and not types alone, may come from outside of the page beside those of `schemas/`. */
export const PAGE_DOORS: Record<string, string> = { 'api/ui/state': 'api/client.ts' };

/** Without the rooms of the page that are not there. */
function known(table: Record<string, string[]>): Record<string, string[]> {
  const isThere = (name: string) => !name.startsWith(`${PAGE}/`) || existsSync(join(ROOT, name));
  return Object.fromEntries(
    Object.entries(table)
      .filter(([name]) => isThere(name))
      .map(([name, rooms]) => [name, rooms.filter(isThere)]),
  );
}

function namesIn(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
