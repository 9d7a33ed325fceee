import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { extract, type Header, pack } from 'tar-stream';
import { type ContractKit, never, rejects } from './contract-kit.ts';

const ROOT = { mode: 0o710, uid: 1234, gid: 55, mtime: new Date(1e12) };

/** As it is packed, and as it has to come out again. */
type Entry = Partial<Header> & { name: string };

const ENTRIES: [Entry, string][] = [
  [{ name: './', type: 'directory', ...ROOT }, ''],
  [{ name: './a', mode: 0o640, uid: 7, gid: 8, mtime: new Date(1.1e12) }, 'hello'],
  [{ name: './d/', type: 'directory', mode: 0o711, uid: 9, gid: 9, mtime: new Date(1.2e12) }, ''],
  [
    { name: './d/h', type: 'link', linkname: './a', mode: 0o640, uid: 7, gid: 8, mtime: new Date(1.1e12) },
    '',
  ],
  [
    {
      name: './d/s',
      type: 'symlink',
      linkname: '../a',
      mode: 0o777,
      uid: 3,
      gid: 4,
      mtime: new Date(1.3e12),
    },
    '',
  ],
  [
    { name: `./${'long-'.repeat(40)}ä`, mode: 0o600, uid: 1, gid: 1, mtime: new Date(1.4e12) },
    'x'.repeat(70_000),
  ],
];

/** What is in volumes, out and in. */
export function describeVolumeContent(name: string, { world, made }: ContractKit): void {
  describe(`${name}: what is in a volume`, () => {
    it('comes out as it was put in: owners, modes, times, links and long names', async () => {
      const { one, other, instances } = world();
      const volume = `${instances.one}-content`;
      await one.fillVolume({ volume, labels: { a: 'b' }, content: tarOf(ENTRIES), root: () => ROOT });
      const listed = (await one.listVolumes()).find((each) => each.name === volume);
      assert.equal(listed?.labels.a, 'b');
      assert.ok(!(await other.listVolumes()).some((each) => each.name === volume));
      const found = await read(await one.readVolume(volume, never));
      const wanted = new Map(ENTRIES.map(([header, text]) => [pathOf(header), facts(header, text)]));
      // Which of two hard links is the file is for whoever packs it to say.
      for (const each of ['a', 'd/h']) assert.ok(found.delete(each) && wanted.delete(each), each);
      assert.deepEqual(found, wanted);
      await rejects(
        one.fillVolume({ volume, labels: {}, content: tarOf([]), root: () => undefined }),
        'Conflict',
      );
      assert.equal(await one.removeVolume(volume), true);
    });

    it('is nothing where what comes breaks off, and the reason is that of whoever sent it', async () => {
      const { one, instances } = world();
      const volume = `${instances.one}-broken`;
      async function* broken(): AsyncGenerator<Uint8Array> {
        for await (const piece of tarOf(ENTRIES)) {
          yield piece.subarray(0, 600);
          throw new Error('cut off by the test');
        }
      }
      await assert.rejects(one.fillVolume({ volume, labels: {}, content: broken(), root: () => undefined }));
      assert.equal(await one.hasVolume(volume), false);
      assert.deepEqual(await world().helpers(), [], 'nothing else is there afterwards');
    });

    it('is undefined of a volume that is not there, and can be had of one that a stopped container has', async () => {
      const { one, instances } = world();
      assert.equal(await one.readVolume(`${instances.one}-nowhere`, never), undefined);
      const { ask } = await made();
      assert.ok((await read(await one.readVolume(ask.volume, never))).has(''));
      assert.equal((await one.listContainers(ask.program)).length, 1);
      assert.deepEqual(await world().helpers(), [], 'nothing else is there afterwards');
    });
  });
}

async function* tarOf(entries: readonly [Entry, string][]): AsyncGenerator<Uint8Array> {
  const tar = pack();
  for (const [header, text] of entries) tar.entry({ ...header }, text);
  tar.finalize();
  yield* tar as AsyncIterable<Uint8Array>;
}

const pathOf = ({ name }: Entry) => name.replace(/^\.\//, '').replace(/\/$/, '');

function facts({ type = 'file', mode = 0, uid, gid, mtime, linkname }: Entry, text: string) {
  const target = type === 'symlink' ? linkname : '';
  return { type, mode: mode & 0o7777, uid, gid, at: Number(mtime), target, text };
}

/** By path; `""` is the folder itself. */
async function read(tar: AsyncIterable<Uint8Array> | undefined) {
  assert.ok(tar, 'the volume is there');
  const unpacked = Readable.from(tar).pipe(extract());
  const found = new Map<string, ReturnType<typeof facts>>();
  for await (const entry of unpacked) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry as AsyncIterable<Uint8Array>) pieces.push(piece);
    found.set(pathOf(entry.header), facts(entry.header, Buffer.concat(pieces).toString('utf8')));
  }
  return found;
}
