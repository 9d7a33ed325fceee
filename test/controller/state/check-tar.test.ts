import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTar } from '../../../controller/state/check-tar.ts';
import { AppError } from '../../../schemas/errors.ts';
import { changed, inPieces, type TarEntry, tarBytes } from './tars.ts';

async function passed(bytes: Uint8Array, size = 700) {
  const { content, root } = checkTar(inPieces(bytes, size));
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return { bytes: Buffer.concat(pieces), root: root() };
}

async function refused(bytes: Uint8Array, words: RegExp): Promise<void> {
  await assert.rejects(passed(bytes), (error) => {
    assert.ok(error instanceof AppError && error.reason === 'BadRequest', String(error));
    assert.match(error.message, words);
    return true;
  });
}

/** None of these does any harm where it is unpacked: what is wrong is where it would lie. */
const REFUSED: [what: string, entries: TarEntry[], words: RegExp][] = [
  ['an absolute name', [{ name: '/note', text: 'x' }], /"\/note" is absolute/],
  ['a name that climbs out', [{ name: './a/../../note', text: 'x' }], /climbs out/],
  ['a hard link to what is elsewhere', [{ name: 'a', type: 'link', linkname: '../note' }], /"a" climbs out/],
  ['a hard link to an absolute name', [{ name: 'a', type: 'link', linkname: '/note' }], /"a" is absolute/],
  ['a device', [{ name: 'a', type: 'character-device' }], /"a" is of a kind that no \/state holds/],
  [
    'a file behind a link',
    [
      { name: './to', type: 'symlink', linkname: '/elsewhere' },
      { name: 'to/note', text: 'x' },
    ],
    /"to\/note" lies behind the link "to"/,
  ],
  [
    'a sparse file',
    [{ name: 'a', pax: { 'GNU.sparse.major': '1' } } as TarEntry],
    /"a" is a sparse file \(GNU\.sparse\.major\)/,
  ],
  ['a file in the place of the folder', [{ name: './', type: 'file', text: '' }], /is the folder itself/],
];

describe('a tar of what is to be a /state', () => {
  it('goes by unchanged, whatever the pieces, with what it says of the folder itself', async () => {
    const mtime = new Date(1e12);
    const bytes = await tarBytes([
      { name: './', type: 'directory', mode: 0o700, uid: 5, gid: 6, mtime },
      { name: './a', text: 'x'.repeat(5_000) },
      { name: './link', type: 'symlink', linkname: '/somewhere/else' },
      { name: './b', type: 'link', linkname: './a' },
      { name: `./${'long/'.repeat(60)}ä`, text: 'deep' },
      { name: './pipe', type: 'fifo' },
    ]);
    for (const size of [1, 511, 512, 700, 100_000]) {
      const { bytes: out, root } = await passed(bytes, size);
      assert.deepEqual(out, bytes);
      assert.deepEqual(root, { mode: 0o700, uid: 5, gid: 6, mtime });
    }
    assert.equal((await passed(await tarBytes([{ name: 'a' }]))).root, undefined);
  });

  for (const [what, entries, words] of REFUSED)
    it(`is refused with ${what}, before its bytes go on`, async () => {
      const bytes = await tarBytes([{ name: './first', text: 'y' }, ...entries]);
      await refused(bytes, words);
    });

  it('is refused where it breaks off, between two entries too, and where it is none', async () => {
    const bytes = await tarBytes([{ name: 'a', text: 'x'.repeat(600) }, { name: 'b' }]);
    await refused(bytes.subarray(0, 800), /not whole|Unexpected end/);
    await refused(bytes.subarray(0, 512 * 3), /not whole/);
    await refused(Buffer.from('no tar at all '.repeat(100)), /no whole tar/);
    await refused(Buffer.alloc(0), /not whole/);
  });

  it('is refused where it is cut off behind a file that ends in zeros, in it and right at its end', async () => {
    const bytes = await tarBytes([{ name: 'a', text: '\0'.repeat(4096) }]);
    assert.equal(bytes.length, 512 + 4096 + 1024);
    for (const end of [512 + 2048, 512 + 4096, 512 + 4096 + 512, bytes.length - 1])
      await refused(bytes.subarray(0, end), /not whole/);
    const more = Buffer.concat([bytes, Buffer.alloc(8192)]);
    assert.deepEqual((await passed(more)).bytes, more, 'as GNU tar 1.34 fills its records');
  });

  it('is refused with what readers take for different things, however it comes in pieces', async () => {
    const zeros = Buffer.alloc(512);
    const end = Buffer.alloc(1024);
    const one = (entry: TarEntry) => tarBytes([entry]).then((bytes) => bytes.subarray(0, -1024));
    const link = changed(await one({ name: 'a', type: 'symlink', linkname: 'b' }), 0, { size: 512 });
    const hard = changed(await one({ name: 'a', type: 'link', linkname: 'b' }), 0, { size: 512 });
    const pipe = changed(await one({ name: 'a', type: 'fifo' }), 0, { size: 512 });
    const folder = changed(await one({ name: 'a/', type: 'directory' }), 0, { size: 512 });
    for (const header of [link, hard, pipe, folder])
      await refused(Buffer.concat([header, zeros, end]), /"a\/?" is no file, and has a body/);

    const plain = await one({ name: 'a', pax: { comment: 'hello' } } as TarEntry);
    assert.equal((await passed(Buffer.concat([plain, end]))).bytes.length, plain.length + 1024);
    const [said, entry] = [plain.subarray(0, 1024), plain.subarray(1024)];
    const everywhere = changed(said, 0, { kind: 'g' });
    await refused(Buffer.concat([everywhere, entry, end]), /a header for all entries/);
    await refused(Buffer.concat([said, said, entry, end]), /two headers that say the same/);
    const long = changed(said, 0, { kind: 'L' });
    await refused(Buffer.concat([said, long, entry, end]), /two headers that say the same/);
    await refused(Buffer.concat([entry, said, end]), /not whole/);
    await refused(Buffer.concat([entry, end, entry, end]), /something stands behind its end/);
    for (const size of [1, 511, 100_000])
      await assert.rejects(passed(Buffer.concat([everywhere, entry, end]), size), (error) => {
        assert.ok(error instanceof AppError);
        assert.match(error.hint ?? '', /tar --format=gnu -C FOLDER -c \./);
        return true;
      });
  });
});
