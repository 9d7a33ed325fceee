import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Desktop, openPage } from './open-page.ts';
import { ensurePage, isPageStale } from './page.ts';
import { SetupError } from './say.ts';

const root = mkdtempSync(join(tmpdir(), 'hersh-page-test-'));
after(() => rmSync(root, { recursive: true }));

/** Written at that second; a folder where the path ends with a slash. */
function put(path: string, second: number): void {
  const full = join(root, path);
  mkdirSync(path.endsWith('/') ? full : dirname(full), { recursive: true });
  if (!path.endsWith('/')) writeFileSync(full, '');
  utimesSync(full, second, second);
}

describe('whether the page has to be built', () => {
  test('it does where it is not there, or something of it is newer, and else not', () => {
    for (const path of ['api/ui/main.tsx', 'api/ui/words/a.ts', 'api/client.ts', 'schemas/errors.ts'])
      put(path, 100);
    put('package-lock.json', 100);
    put('api/ui/words/', 100);
    assert.equal(isPageStale(root), true, 'not built');
    put('api/ui/dist/index.html', 200);
    assert.equal(isPageStale(root), false, 'built after all');
    const changed = [
      'api/ui/main.tsx',
      'api/ui/words/a.ts',
      'api/client.ts',
      'schemas/errors.ts',
      'package-lock.json',
    ];
    for (const path of changed) {
      put(path, 201);
      assert.equal(isPageStale(root), true, path);
      put(path, 100);
      put('api/ui/words/', 100);
      assert.equal(isPageStale(root), false, path);
    }
    put('api/ui/words/', 201);
    assert.equal(isPageStale(root), true, 'a file was removed');
    put('api/ui/words/', 100);
  });

  test('what the host alone is made of, and what a build leaves, count for nothing', () => {
    put('api/server.ts', 300);
    put('api/ui/dist/assets/main-1.js', 300);
    put('api/ui/dist-x1y2z3/page/index.html', 300);
    put('api/ui/', 300);
    assert.equal(isPageStale(root), false);
  });

  test('one that is new is not built; one that can not be is told with what was said', async () => {
    const said: string[] = [];
    await ensurePage((line) => said.push(line), root);
    assert.equal(said.length, 0);
    put('api/ui/main.tsx', 400);
    await assert.rejects(
      ensurePage((line) => said.push(line), root),
      (error) => error instanceof SetupError && /can not be built:\n[\s\S]*Error/.test(error.message),
    );
    assert.deepEqual(said, ['Building the page (npm run build)']);
  });
});

describe('opening the page', () => {
  const desk: Omit<Desktop, 'start'> = {
    platform: 'linux',
    env: { DISPLAY: ':0' },
    isTerminal: true,
    find: (name) => `/usr/bin/${name}`,
  };
  const opened = (own: Partial<Desktop>): string[] => {
    const started: string[] = [];
    const start = (command: string, args: readonly string[]): void => void started.push(command, ...args);
    const did = openPage('http://localhost:9000/ui', { ...desk, ...own, start });
    assert.equal(did, started.length > 0);
    return started;
  };

  test('where there is a desktop', () => {
    assert.deepEqual(opened({}), ['/usr/bin/xdg-open', 'http://localhost:9000/ui']);
    assert.deepEqual(opened({ env: { WAYLAND_DISPLAY: 'wayland-0' } })[0], '/usr/bin/xdg-open');
    assert.deepEqual(opened({ platform: 'darwin', env: {} })[0], '/usr/bin/open');
  });

  test('and nowhere else', () => {
    const none: Partial<Desktop>[] = [
      { env: {} },
      { env: { DISPLAY: '', WAYLAND_DISPLAY: '' } },
      { env: { DISPLAY: ':0', CI: 'true' } },
      { platform: 'darwin', env: { CI: '1' } },
      { isTerminal: false },
      { find: () => undefined },
      { platform: 'freebsd' },
    ];
    for (const own of none) assert.deepEqual(opened(own), [], JSON.stringify(own));
  });
});
