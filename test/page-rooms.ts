import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup/host-settings.ts';

/** The page is a house of its own in the one of the API: it knows the API as any client does, and nobody knows it. */
export const PAGE = 'api/ui';

/** What the page knows of the host: words of all, and types of what is asked and answered. */
const TOLD = [
  'schemas',
  'api/client.ts',
  'api/client-streams.ts',
  'api/deps.ts',
  'api/program-answers.ts',
  'api/errors.ts',
  'api/routes',
];
const BELOW_SCREENS = ['api/ui/words', 'api/ui/state', 'api/ui/parts'];

/** Screens that others are part of, or give them their words. */
const SCREENS_KNOW: Record<string, string[]> = {
  program: ['build', 'events', 'logs', 'manifest', 'revisions', 'sources', 'timeline', 'watcher'],
  revisions: ['manifest'],
  watcher: ['logs'],
};

/** It says before the sources are sent what a `.dockerignore` leaves out of them. */
const ALSO_KNOWN: Record<string, string[]> = { deploy: ['registry/contexts'] };

const screens = namesIn('api/ui/screens');
const inScreens = (names: readonly string[]) => names.map((name) => `api/ui/screens/${name}`);

/** Made, not served. */
export const PAGE_TOOLS: Record<string, string[]> = {
  'api/ui/vite.config.ts': [],
  'api/ui/build': ['schemas'],
  // What an import of a style is.
  'api/ui/css.d.ts': [],
};

/** The rooms of what browsers get, each with those it may import beside itself. */
export const PAGE_ROOMS: Record<string, string[]> = known({
  'api/ui/words': TOLD,
  'api/ui/state': [...TOLD, 'api/ui/words'],
  'api/ui/parts': [...TOLD, 'api/ui/words', 'api/ui/state'],
  ...Object.fromEntries(
    screens.map((name) => [
      `api/ui/screens/${name}`,
      [...TOLD, ...BELOW_SCREENS, ...inScreens(SCREENS_KNOW[name] ?? []), ...(ALSO_KNOWN[name] ?? [])],
    ]),
  ),
  'api/ui/page.tsx': [...TOLD, ...BELOW_SCREENS, ...inScreens(screens)],
  'api/ui/main.tsx': [...TOLD, ...BELOW_SCREENS, 'api/ui/page.tsx'],
});

const SHOWING = ['api/ui/parts', ...inScreens(screens), 'api/ui/page.tsx', 'api/ui/main.tsx'];
const PARTS = ['api/ui/parts'];

/** The libraries of the page, each with the rooms that may name it. */
export const PAGE_LIBRARIES: Record<string, string[]> = known({
  vite: Object.keys(PAGE_TOOLS).filter((name) => !name.endsWith('.d.ts')),
  preact: ['api/ui/state', ...SHOWING],
  '@preact/signals': ['api/ui/state', ...SHOWING],
  codemirror: PARTS,
  '@codemirror/lang-yaml': PARTS,
  '@codemirror/language': PARTS,
  '@codemirror/lint': PARTS,
  '@codemirror/state': PARTS,
  '@codemirror/view': PARTS,
  '@lezer/highlight': PARTS,
  diff: PARTS,
});

/** What of the host the page has in it, beside the words of `schemas/`, and in which rooms; of all else, types alone. */
export const PAGE_DOORS: Record<string, string[]> = {
  'api/client.ts': ['api/ui/state', ...inScreens(screens)],
  'registry/contexts/dockerignore.ts': inScreens(['deploy']),
  'registry/contexts/work.ts': inScreens(['deploy']),
};

/** Without what is not there. */
function known(table: Record<string, string[]>): Record<string, string[]> {
  const isThere = (name: string) =>
    !name.includes('/') || name.startsWith('@') || existsSync(join(ROOT, name));
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
