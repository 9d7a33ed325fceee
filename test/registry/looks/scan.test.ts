import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EMPTY_SETTLE_MS, SETTLE_MS } from '../../../registry/files/settle.ts';
import { scanPrograms } from '../../../registry/looks/scan.ts';
import { describeProblem } from '../../../schemas/errors.ts';
import { smallDisk } from '../disk.ts';
import { tempFolder, writeTree } from '../folder.ts';

const LATER = () => Date.now() + 60_000;
const NOTHING = new Map<string, string>();

test('manifests are read, and nothing else is one', async (t) => {
  const folder = await tempFolder(t);
  await writeTree(folder, {
    'b.yaml': 'B',
    'a.yaml': 'A',
    'A.b_c-1.yaml': 'C',
    ...Object.fromEntries(
      [
        '.a.yaml',
        '.a.yaml.swp',
        'a.yaml~',
        'a.yaml.bak',
        'a.yaml.orig',
        '#a.yaml#',
        '4913',
        'note.txt',
        '.gitkeep',
        '.hersh-tmp-1-a.yaml',
        'a.yaml.tmp',
        'a.json',
      ].map((name) => [name, 'x']),
    ),
    'folder/c.yaml': 'x',
  });
  await symlink('user@host.1:2', join(folder, '.#a.yaml'));
  const scan = await scanPrograms(folder, NOTHING, LATER());
  assert.equal(scan.complete, true);
  assert.deepEqual(
    scan.files.map(({ name, text }) => [name, text]),
    [
      ['A.b_c-1', 'C'],
      ['a', 'A'],
      ['b', 'B'],
    ],
  );
  assert.deepEqual(scan.misnamed, []);
});

test('files that look like manifests but can not be are named', async (t) => {
  const folder = await tempFolder(t);
  const names = ['my program.yaml', '-x.yaml', `${'a'.repeat(129)}.yaml`, 'ä.yaml', 'x.yml'];
  await writeTree(folder, Object.fromEntries(names.map((name) => [name, ''])));
  const { files, misnamed } = await scanPrograms(folder, NOTHING, LATER());
  assert.deepEqual(files, []);
  assert.deepEqual(misnamed.sort(), names.sort());
});

test('what did not change is not read again; whatever changed is', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.yaml');
  await writeFile(path, 'one');
  const keys = new Map<string, string>();
  const read = async () => {
    const [file] = (await scanPrograms(folder, keys, LATER())).files;
    if (file !== undefined) keys.set(file.name, file.key);
    return file?.text;
  };
  assert.equal(await read(), 'one');
  assert.equal(await read(), undefined);
  await writeFile(path, 'two');
  assert.equal(await read(), 'two', 'in place, of equal length');
  await writeFile(`${path}.new`, 'six');
  await rename(`${path}.new`, path);
  assert.equal(await read(), 'six', 'by rename');
  assert.equal(await read(), undefined);
});

test('a file is taken when it stood still for 50 ms', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.yaml');
  await writeFile(path, 'half');
  const changed = (await stat(path)).ctimeMs;
  for (const age of [0, 10, 48]) {
    const { files, againMs } = await scanPrograms(folder, NOTHING, changed + age);
    assert.deepEqual(files, [{ name: 'a', key: '', text: undefined, unreadable: undefined }], 'it is there');
    assert.ok(againMs >= 50 - age && againMs <= 52 - age, `${againMs} after ${age}`);
  }
  const settled = await scanPrograms(folder, NOTHING, changed + 51);
  assert.equal(settled.files[0]?.text, 'half');
  assert.equal(settled.againMs, 0);
  const jumped = await scanPrograms(folder, NOTHING, changed - 3_600_000);
  assert.equal(jumped.files[0]?.text, 'half', 'a clock that jumped back holds nothing up');
});

test('one that was moved into place after it was written is taken at once; one that is written there is not', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.yaml');
  const keys = new Map<string, string>();
  const readAtOnce = async () => {
    const [file] = (await scanPrograms(folder, keys, (await stat(path)).ctimeMs)).files;
    if (file?.text !== undefined) keys.set(file.name, file.key);
    return file?.text;
  };
  const beforeMs = (await stat(folder)).mtimeMs - 1;
  const move = async (text: string) => {
    await writeFile(`${path}.new`, text);
    // Or both moments may be one to the kernel.
    await utimes(`${path}.new`, beforeMs / 1_000, beforeMs / 1_000);
    await rename(`${path}.new`, path);
  };
  await move('one');
  assert.equal(await readAtOnce(), 'one');
  await move('two');
  assert.equal(await readAtOnce(), 'two', 'over one that was known');
  await writeFile(path, 'six');
  await utimes(path, beforeMs / 1_000, beforeMs / 1_000);
  assert.equal(await readAtOnce(), undefined, 'in place, whatever time it says');
  await move('');
  assert.equal(await readAtOnce(), undefined, 'an empty one');
});

test('an empty file has longer: an editor that writes in place has emptied it, and is about to write', async (t) => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.yaml');
  await writeFile(path, '');
  const emptied = (await stat(path)).ctimeMs;
  const [young] = (await scanPrograms(folder, NOTHING, emptied + SETTLE_MS + 1)).files;
  assert.equal(young?.text, undefined);
  const [old] = (await scanPrograms(folder, NOTHING, emptied + EMPTY_SETTLE_MS + 1)).files;
  assert.equal(old?.text, '');
  await writeFile(path, 'whole');
  const written = (await stat(path)).ctimeMs;
  const [whole] = (await scanPrograms(folder, NOTHING, written + SETTLE_MS + 1)).files;
  assert.equal(whole?.text, 'whole');
});

test('what can not be read is there all the same, with a word', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'folder.yaml'));
  await symlink('nowhere', join(folder, 'dead.yaml'));
  await symlink('loop.yaml', join(folder, 'loop.yaml'));
  execFileSync('mkfifo', [join(folder, 'pipe.yaml')]);
  await writeFile(join(folder, 'large.yaml'), '');
  await truncate(join(folder, 'large.yaml'), 2 ** 21);
  await symlink('/dev/zero', join(folder, 'zero.yaml'));
  const { complete, files } = await scanPrograms(folder, NOTHING, LATER());
  assert.equal(complete, true);
  const told = Object.fromEntries(
    files.map(({ name, unreadable }) => [name, unreadable && describeProblem(unreadable)]),
  );
  const want = (name: string, why: string) => `programs/${name}.yaml: the file can not be read: ${why}`;
  assert.equal(told.folder, want('folder', 'it is not a file'));
  assert.equal(told.dead, want('dead', 'it is a link to nothing'));
  assert.equal(told.pipe, want('pipe', 'it is not a file'));
  assert.equal(told.zero, want('zero', 'it is not a file'));
  assert.equal(told.large, want('large', 'it is larger than 1048576 bytes'));
  assert.match(told.loop ?? '', /can not be read: ELOOP/);
});

test('a link to a manifest is one', async (t) => {
  const folder = await tempFolder(t);
  await writeTree(folder, { 'elsewhere/real': 'A', 'programs/': '' });
  await symlink('../elsewhere/real', join(folder, 'programs/a.yaml'));
  const { files } = await scanPrograms(join(folder, 'programs'), NOTHING, LATER());
  assert.equal(files[0]?.text, 'A');
});

test('a folder that can not be listed says nothing of what is missing', async (t) => {
  const folder = await tempFolder(t);
  const missing = await scanPrograms(join(folder, 'no'), NOTHING, LATER());
  assert.equal(missing.complete, false);
  assert.equal(missing.message, 'programs/ can not be read: it is missing');
  await writeFile(join(folder, 'file'), '');
  assert.equal((await scanPrograms(join(folder, 'file'), NOTHING, LATER())).complete, false);
});

test('while files come and go, a scan neither fails nor gives a part', async (t) => {
  const folder = await smallDisk(t, 4096);
  const text = (index: number) => `${'x'.repeat(2000)}${index % 10}`;
  await writeFile(join(folder, 'stays.yaml'), text(0));
  let stop = false;
  const churn = (async () => {
    for (let index = 0; !stop; index++) {
      const path = join(folder, `f${index % 5}.yaml`);
      await writeFile(`${path}.tmp`, text(index));
      await rename(`${path}.tmp`, path);
      if (index % 3 === 0) await rm(path);
      if (index % 7 === 0) await appendFile(join(folder, 'grows.yaml'), 'y');
    }
  })();
  for (let index = 0; index < 200; index++) {
    const { complete, files } = await scanPrograms(folder, NOTHING, LATER());
    assert.equal(complete, true);
    assert.ok(files.some(({ name }) => name === 'stays'));
    for (const { name, text: found } of files) {
      if (name.startsWith('f') && found !== undefined) assert.equal(found.length, 2001);
    }
  }
  stop = true;
  await churn;
});
