import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { openStatusStore } from '../../../registry/records/status-store.ts';
import { decodeStatus, encodeStatus } from '../../../registry/records/status-text.ts';
import { AppError } from '../../../schemas/errors.ts';
import { emptyMemory, type ProgramMemory } from '../../../schemas/memory.ts';
import { PROGRAM_STATES } from '../../../schemas/program.ts';
import type { ProgramStatus } from '../../../schemas/status.ts';
import { emptyStatus } from '../../../schemas/status.ts';
import { anyCharacter } from '../../schemas/any-character.ts';
import { smallDisk } from '../disk.ts';
import { tempFolder } from '../folder.ts';

const status = (name: string, rest: Partial<ProgramStatus> = {}): ProgramStatus => ({
  ...emptyStatus(name, 0),
  ...rest,
});
const fileOf = (folder: string, name: string) => join(folder, `${name}.yaml`);

async function open(t: TestContext) {
  const folder = await tempFolder(t);
  return { folder, store: await openStatusStore(folder) };
}

test('a status is written as the contract shows it, for its owner alone', async (t) => {
  const { folder, store } = await open(t);
  await store.put(status('p', { state: 'Ready', publishPort: 19005 }), { durable: true });
  const document = parse(await readFile(fileOf(folder, 'p'), 'utf8'));
  assert.equal(document.apiVersion, 'hersh.dev/v1');
  assert.equal(document.kind, 'ProgramStatus');
  assert.deepEqual(document.metadata, { name: 'p' });
  assert.equal(document.status.state, 'Ready');
  assert.equal((await stat(fileOf(folder, 'p'))).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ['p.yaml'], 'nothing is left beside it');
});

test('what was written is read again', async (t) => {
  const { folder, store } = await open(t);
  const full = status('p', {
    state: 'Error',
    reason: 'CrashLoopBackOff',
    errorMsg: 'exit: 1\n # not a comment "quoted"',
    conditions: [{ type: 'Ready', status: 'False', reason: 'x', message: '', lastTransitionTime: '' }],
    lastExit: {
      exitCode: 1,
      oomKilled: false,
      signal: '',
      run: 'c@1',
      finishedAt: '',
      logTail: 'a\n  b\n\ttab\r\n\u2028 \u{1F600}\n\n',
    },
    memory: { ...emptyMemory(), starts: { crashes: { count: 2, nextAt: '' } } },
  });
  await store.put(full);
  assert.deepEqual((await openStatusStore(folder)).get('p'), full);
});

test('whatever a status holds, it reads back equal, by the quick way and by any reader of YAML', () => {
  const text = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.constantFrom(
      '',
      'true',
      'Null',
      'NO',
      '1e3',
      '~',
      '- a',
      'a: b',
      '# c',
      '|',
      '"',
      "'",
      '\n',
      ' x ',
      '2026-01-01',
      '0x1F',
      'Off',
    ),
  );
  const statuses = fc.record({
    state: fc.constantFrom(...PROGRAM_STATES),
    reason: text,
    errorMsg: text,
    publishPort: fc.nat(),
    memory: fc.record({
      program: fc.record(
        { volume: text, restartedAtSeen: text, lastBuild: text, startRequested: fc.boolean() },
        { requiredKeys: ['restartedAtSeen', 'lastBuild', 'startRequested'] },
      ),
      rollout: fc.record({ verdict: fc.constant('new' as const), attempt: text, refusals: fc.nat() }),
      containers: fc.dictionary(text, fc.constant({})),
      starts: fc.constant({}),
    }),
    lastExit: fc.option(
      fc.record({
        exitCode: fc.integer(),
        oomKilled: fc.boolean(),
        signal: text,
        run: text,
        finishedAt: text,
        logTail: text,
      }),
    ),
    conditions: fc.array(
      fc.record({
        type: fc.constant('Ready' as const),
        status: fc.constant('True' as const),
        reason: text,
        message: text,
        lastTransitionTime: text,
      }),
      { maxLength: 3 },
    ),
  });
  fc.assert(
    fc.property(statuses, (fields) => {
      const before = structuredClone(status('p', fields));
      const written = encodeStatus(before);
      assert.deepEqual(decodeStatus(written, emptyStatus('p', 0)), before);
      assert.deepEqual({ ...parse(written).status, name: 'p' }, before);
      // With other spaces it is not the quick reader's any more.
      assert.deepEqual(decodeStatus(`${written}\n# by hand\n`, emptyStatus('p', 0)), before);
    }),
    { numRuns: 80 },
  );
});

test('a status that is equal is not written again, also not after a restart', async (t) => {
  const { folder, store } = await open(t);
  await store.put(status('p'));
  const before = await stat(fileOf(folder, 'p'), { bigint: true });
  await store.put(status('p'));
  const again = await openStatusStore(folder);
  await again.put(status('p'));
  const after = await stat(fileOf(folder, 'p'), { bigint: true });
  assert.equal(after.ino, before.ino);
  assert.equal(after.mtimeNs, before.mtimeNs);
  await again.put(status('p', { state: 'Ready' }));
  assert.notEqual((await stat(fileOf(folder, 'p'), { bigint: true })).ino, before.ino);
});

test('listeners hear of every change, once, with the new status to be had', async (t) => {
  const { store } = await open(t);
  const heard: string[] = [];
  const unsubscribe = store.subscribe((name) => heard.push(`${name}:${store.get(name)?.state ?? 'gone'}`));
  await store.put(status('p'));
  await store.put(status('p'));
  await store.put(status('p', { state: 'Ready' }));
  await store.remove('p');
  unsubscribe();
  await store.put(status('q'));
  assert.deepEqual(heard, ['p:Created', 'p:Ready', 'p:gone']);
});

test('a listener that throws stops neither the ledger nor the others', async (t) => {
  const folder = await tempFolder(t);
  const thrown: unknown[] = [];
  const store = await openStatusStore(folder, { onListenerError: (error) => thrown.push(error) });
  let heard = 0;
  store.subscribe(() => {
    throw new Error('mine');
  });
  store.subscribe(() => heard++);
  await store.put(status('p'));
  await store.remove('p');
  assert.equal(heard, 2);
  assert.equal(thrown.length, 2);
  assert.deepEqual(await readdir(folder), []);
});

test('many puts at once: the last one stands, in memory and in the file', async (t) => {
  const { folder, store } = await open(t);
  await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      store.put(status('p', { restartCount: index }), { durable: index % 2 === 0 }),
    ),
  );
  assert.equal(store.get('p')?.restartCount, 49);
  assert.equal((await openStatusStore(folder)).get('p')?.restartCount, 49);
});

test('when a put resolves, its status is in the file, whoever else puts the same', async (t) => {
  const { folder, store } = await open(t);
  await store.put(status('p'));
  const first = store.put(status('p', { restartCount: 1 }));
  await store.put(status('p', { restartCount: 1 }));
  assert.equal((await openStatusStore(folder)).get('p')?.restartCount, 1);
  await first;
});

test('puts and removals keep their order', async (t) => {
  const { folder, store } = await open(t);
  const put = store.put(status('p'));
  const removed = store.remove('p');
  await Promise.all([put, removed]);
  assert.deepEqual(await readdir(folder), []);
  await Promise.all([store.put(status('p')), store.remove('p'), store.put(status('p', { restartCount: 2 }))]);
  assert.equal((await openStatusStore(folder)).get('p')?.restartCount, 2);
  await Promise.all([store.remove('p'), store.remove('p')]);
  assert.deepEqual(store.names(), []);
});

/** Texts that are no status; the program they stood for is rebuilt from labels. */
/** The ledger of a host before this one, which had learnt nothing yet. */
const BARE = encodeStatus({ ...status('p'), memory: {} as ProgramMemory });
const DAMAGED: [string, string][] = [
  ['empty', ''],
  ['zeros, as after a power cut', '\0'.repeat(400)],
  ['torn', encodeStatus(status('p')).slice(0, 200)],
  ['torn in the middle of a line', encodeStatus(status('p')).slice(0, -20)],
  ['not YAML', 'a: [\n'],
  ['a list', '- a\n'],
  ['a manifest', 'apiVersion: hersh.dev/v1\nkind: Program\nmetadata: {name: p}\nspec: {}\n'],
  ['no version', encodeStatus(status('p')).replace(/^apiVersion.*\n/m, '')],
  ['of another name', encodeStatus(status('q'))],
  ['no status', 'apiVersion: hersh.dev/v1\nkind: ProgramStatus\nmetadata: {name: p}\nstatus:\n'],
  ['an unknown state', encodeStatus(status('p')).replace('Created', 'Dancing')],
  ['a port that is none', encodeStatus(status('p')).replace('publishPort: 0', 'publishPort: many')],
  ['conditions that are none', encodeStatus(status('p')).replace('conditions: []', 'conditions: [1]')],
  ['memory that is none', BARE.replace('memory: {}', 'memory: []')],
  ['a spec in force that is none', BARE.replace('memory: {}', 'memory: {inForce: {}}')],
  ['containers that are none', encodeStatus(status('p')).replace('containers: {}', 'containers: [1]')],
  [
    'an alias bomb',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${Array(200).fill('*a').join(',')}]\nc: [${Array(200).fill('*b').join(',')}]`,
  ],
  ['nested without end', '['.repeat(10_000)],
];
for (const [what, text] of DAMAGED) {
  test(`damaged: ${what}`, async (t) => {
    const folder = await tempFolder(t);
    await writeFile(fileOf(folder, 'p'), text);
    await writeFile(fileOf(folder, 'fine'), encodeStatus(status('fine')));
    const store = await openStatusStore(folder);
    assert.deepEqual(store.names(), ['fine'], 'the others are not touched');
    assert.deepEqual([...store.damaged().keys()], ['p']);
    assert.notEqual(store.damaged().get('p'), '');
    await store.put(status('p'));
    assert.equal(store.damaged().size, 0);
    assert.deepEqual((await openStatusStore(folder)).names(), ['fine', 'p']);
  });
}

test('whether there is a file is known: of a status that was read, written, damaged, refused and removed', async (t) => {
  const { folder, store } = await open(t);
  assert.equal(store.isKept('p'), false);
  await store.put(status('p'));
  assert.equal(store.isKept('p'), true);
  await writeFile(fileOf(folder, 'damaged'), '');
  const again = await openStatusStore(folder);
  assert.deepEqual([again.isKept('p'), again.isKept('damaged'), again.isKept('other')], [true, false, false]);
  await again.remove('p');
  assert.equal(again.isKept('p'), false);
  await mkdir(fileOf(folder, 'refused'));
  await assert.rejects(again.put(status('refused')), AppError);
  assert.equal(again.isKept('refused'), false);
});

test('what can not be read is damaged, and what is no status is passed over', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(fileOf(folder, 'folder'));
  await symlink('nowhere', fileOf(folder, 'link'));
  for (const name of ['.hidden.yaml', '.gitignore', 'note.txt', '-x.yaml'])
    await writeFile(join(folder, name), 'x');
  const store = await openStatusStore(folder);
  assert.deepEqual([...store.damaged().keys()].sort(), ['folder', 'link']);
});

test('a damaged one is told of only as long as it is there and damaged', async (t) => {
  const folder = await tempFolder(t);
  const first = await openStatusStore(folder);
  await first.put(status('mended'));
  const text = await readFile(fileOf(folder, 'mended'), 'utf8');
  for (const name of ['mended', 'gone', 'stays']) await writeFile(fileOf(folder, name), 'status: {{{');
  const store = await openStatusStore(folder);
  const told: string[] = [];
  store.subscribe((name) => told.push(name));
  await rm(fileOf(folder, 'gone'));
  await writeFile(fileOf(folder, 'mended'), text);
  await writeFile(fileOf(folder, 'stays'), 'apiVersion: hersh.dev/v2\n');
  assert.deepEqual(await store.compare(new Set(await readdir(folder))), []);
  assert.deepEqual([...store.damaged().keys()], ['stays']);
  assert.deepEqual([store.get('mended'), told], [status('mended'), ['mended']]);
});

test('what is there and is no file is told of, and never waited for', async (t) => {
  const folder = await tempFolder(t);
  execFileSync('mkfifo', [fileOf(folder, 'pipe')]);
  await symlink('/dev/zero', fileOf(folder, 'endless'));
  const store = await openStatusStore(folder);
  assert.deepEqual([...store.damaged()].sort(), [
    ['endless', 'it is not a file'],
    ['pipe', 'it is not a file'],
  ]);
});

test('a file of a newer version stops the host with a clear word, whatever else it holds', async (t) => {
  for (const rest of ['kind: ProgramStatus\nstatus: {state: Ready}', 'kind: ProgramLedger\nledger: []']) {
    const folder = await tempFolder(t);
    await writeFile(fileOf(folder, 'p'), `apiVersion: hersh.dev/v2\nmetadata: {name: p}\n${rest}\n`);
    await assert.rejects(
      openStatusStore(folder),
      (error) =>
        error instanceof AppError &&
        error.reason === 'RegistryUnavailable' &&
        error.message === 'status/p.yaml is of version hersh.dev/v2, and this host knows hersh.dev/v1 only' &&
        error.hint?.includes('newer Hersh Host') === true,
    );
  }
});

test('a status that an editor has rewritten is read all the same', async (t) => {
  const folder = await tempFolder(t);
  await writeFile(
    fileOf(folder, 'p'),
    'kind: ProgramStatus\napiVersion: hersh.dev/v1\nmetadata: {name: p}\nstatus: {state: Ready, publishPort: 19001}\n',
  );
  const store = await openStatusStore(folder);
  assert.equal(store.get('p')?.state, 'Ready');
  assert.equal(store.get('p')?.publishPort, 19001);
});

test('a full disk: memory counts, the old file stands, and the next put writes', async (t) => {
  const folder = await smallDisk(t, 64);
  const store = await openStatusStore(folder);
  await store.put(status('p'));
  const before = await readFile(fileOf(folder, 'p'), 'utf8');
  await writeFile(join(folder, 'ballast'), Buffer.alloc(64 * 1024)).catch(() => undefined);
  const next = status('p', { state: 'Ready', errorMsg: 'x'.repeat(10_000) });
  await assert.rejects(
    store.put(next),
    (error) => error instanceof AppError && error.reason === 'RegistryUnavailable',
  );
  assert.equal(store.get('p')?.state, 'Ready');
  assert.equal(await readFile(fileOf(folder, 'p'), 'utf8'), before);
  assert.deepEqual((await readdir(folder)).sort(), ['ballast', 'p.yaml'], 'no temporary file is left');
  await rm(join(folder, 'ballast'));
  await store.put(next);
  assert.deepEqual((await openStatusStore(folder)).get('p'), next);
});

test('a status that was taken back to what the file says is no write that is owed', async (t) => {
  const { folder, store } = await open(t);
  await store.put(status('p'));
  await utimes(fileOf(folder, 'p'), 1, 1);
  await Promise.all([store.put(status('p', { restartCount: 1 })), store.put(status('p'))]);
  assert.equal((await openStatusStore(folder)).get('p')?.restartCount, 0);
});

test('the folder may not be there', async (t) => {
  const folder = await tempFolder(t);
  await assert.rejects(openStatusStore(join(folder, 'no')), { code: 'ENOENT' });
  const store = await openStatusStore(folder);
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
  await assert.rejects(store.put(status('p')), AppError);
  await store.remove('p');
});

test('names are sorted after every change, and whoever has them may do with them as they like', async (t) => {
  const { store } = await open(t);
  assert.deepEqual(store.names(), []);
  await store.put(status('b'));
  await store.put(status('a'));
  store.names().reverse();
  assert.deepEqual(store.names(), ['a', 'b']);
  await store.remove('b');
  await store.put(status('c'));
  assert.deepEqual(store.names(), ['a', 'c']);
});

test('whether a file outlasts a power cut is known: equal or not, it is written anew for that, once', async (t) => {
  const { folder, store } = await open(t);
  const inode = async () => (await stat(fileOf(folder, 'p'))).ino;
  await store.put(status('p'));
  assert.deepEqual([store.isKept('p'), store.isDurable('p')], [true, false]);
  const before = await inode();
  await store.put(status('p'), { durable: true });
  assert.ok(store.isDurable('p'));
  const after = await inode();
  assert.notEqual(after, before);
  await store.put(status('p'), { durable: true });
  assert.equal(await inode(), after);
  await store.put(status('p', { restartCount: 1 }));
  assert.ok(store.isDurable('p'), 'a later one may lag');
  assert.ok((await openStatusStore(folder)).isDurable('p'));
  await store.remove('p');
  await store.put(status('p'));
  assert.equal(store.isDurable('p'), false);
});
