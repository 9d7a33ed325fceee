import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { watchRegistry } from '../../../registry/looks/watch.ts';
import { systemClock } from '../../../schemas/clock.ts';
import { tempFolder, until, writeTree } from '../folder.ts';

test('what an editor lays beside a file is no hint, in sources and among manifests', async (t) => {
  const root = await tempFolder(t);
  await writeTree(root, { 'programs/x.yaml': '', 'sources/x/a.js': '' });
  const hinted = new Set<string>();
  const watch = watchRegistry(root, [], systemClock, (paths) => {
    for (const path of paths) hinted.add(path);
  });
  t.after(() => watch.close());
  await watch.refresh();
  await until('it watches', () => hinted.has(''));
  for (const folder of ['programs', 'sources/x']) {
    for (const name of ['.x.swp', '4913', 'x~', '.#x', '#x#', 'x___jb_tmp___', '.goutputstream-A'])
      await writeFile(join(root, folder, name), '');
    await writeFile(join(root, folder, 'last'), '');
    await until('the last is hinted', () => hinted.has(`${folder}/last`));
  }
  const files = [...hinted].filter(
    (path) => path.split('/').length > 1 && !['sources/x', 'programs'].includes(path),
  );
  assert.deepEqual(files.sort(), ['programs/last', 'sources/x/last']);
});
