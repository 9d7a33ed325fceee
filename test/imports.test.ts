import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Which folders each may import from; `controller/main.ts` alone puts all of them together. */
const MAY_IMPORT: Record<string, string[]> = {
  schemas: ['schemas'],
  registry: ['registry', 'schemas'],
  controller: ['controller', 'registry', 'schemas'],
  api: ['api', 'registry', 'schemas'],
};

/** Where a library may be named, as path prefixes. */
const LIBRARY_HOMES: Record<string, string[]> = {
  dockerode: ['controller/engine/'],
  chokidar: ['registry/'],
  yaml: ['registry/'],
  hono: ['api/'],
  '@hono/node-server': ['api/'],
};

/** What may know both halves, as path prefixes: the composition root, and what gives the API what it asks for. */
const COMPOSITION = ['controller/main.ts', 'controller/health.ts', 'controller/serve/'];

interface Import {
  from: string;
  to: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found].map((match) => {
    const name = match[1] ?? '';
    const to = name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), name)) : name;
    return { from: file, to };
  });
}

const all = Object.keys(MAY_IMPORT).flatMap((folder) => sourceFiles(folder).flatMap(importsOf));

test('there is something to check', () => {
  assert.ok(all.length > 200, `${all.length} imports found`);
});

test('imports run one way: schemas, registry, then controller and api, which do not know each other', () => {
  const wrong = all.filter(({ from, to }) => {
    const [home = '', target = ''] = [from.split('/')[0], to.split('/')[0]];
    if (!(target in MAY_IMPORT) || COMPOSITION.some((home) => from.startsWith(home))) return false;
    return MAY_IMPORT[home]?.includes(target) !== true;
  });
  assert.deepEqual(wrong, []);
});

test('each library is known in one place', () => {
  const wrong = all.filter(({ from, to }) => {
    const library = Object.keys(LIBRARY_HOMES).find((name) => to === name || to.startsWith(`${name}/`));
    return library !== undefined && LIBRARY_HOMES[library]?.some((home) => from.startsWith(home)) !== true;
  });
  assert.deepEqual(wrong, []);
});

test('the pure core imports nothing that does anything', () => {
  const pure = [
    'plan',
    'diff',
    'status',
    'action',
    'memory',
    'goal',
    'events',
    'observed',
    'collectable',
    'references',
  ].map((name) => `controller/${name}.ts`);
  const outside = all.filter(
    ({ from, to }) => pure.includes(from) && (to.startsWith('node:') || !to.includes('/')),
  );
  assert.deepEqual(outside, []);
});
