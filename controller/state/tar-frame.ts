import { AppError } from '../../schemas/errors.ts';

const BLOCK_BYTES = 512;
/** A tar ends with that many empty blocks. */
const END_BLOCKS = 2;
/** Where a header has what kind it is, how long its body is, and its sum. */
const [KIND_AT, SIZE_AT, SUM_AT] = [156, 124, 148];
/** Bodies that say something of the entry behind them, and whether in the way of pax, or of GNU tar. */
const SAYS = new Map([
  ['x', 'pax'],
  ['L', 'gnu'],
  ['K', 'gnu'],
]);

export const PLAIN_HINT =
  'Unpack it, and make it anew with "tar --format=gnu -C FOLDER -c .", or --format=pax, without --sparse and --pax-option.';

/**
 * What a parser does not tell of a tar: where its entries end, and what stands between them. Readers differ over some of
 * that, so that what one has looked at another unpacks otherwise; such a tar is refused, by throwing.
 */
export class TarFrame {
  /** Of entries that the parser has told of, and whose headers did not come by here, in bytes. */
  readonly #sizes: number[] = [];
  #header = Buffer.alloc(0);
  /** Of a body, with what fills its last block. */
  #skip = 0;
  #emptyBlocks = 0;
  /** Kinds of what was said of the next entry. */
  #said = '';

  /** The parser has told of the next entry. @param size of its body in bytes, as it is in force */
  entry(size: number): void {
    this.#sizes.push(size);
  }

  /** The next bytes; the parser has to have told of all entries whose headers end in them. */
  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const end = at + BLOCK_BYTES - this.#header.length;
      this.#header = Buffer.concat([this.#header, chunk.subarray(at, end)]);
      at = Math.min(end, chunk.length);
      if (this.#header.length < BLOCK_BYTES) return;
      this.#skip = padded(this.#sizeOf(this.#header));
      this.#header = Buffer.alloc(0);
    }
  }

  /** Throws unless the tar may end here: behind its last entry, and with its empty blocks. */
  end(): void {
    const isBetween = this.#skip === 0 && this.#header.length === 0 && this.#said === '';
    if (!isBetween || this.#emptyBlocks < END_BLOCKS) throw new Error('it is not whole');
  }

  /** Of what follows the header. */
  #sizeOf(header: Buffer): number {
    if (isEmpty(header)) {
      this.#emptyBlocks++;
      return 0;
    }
    if (this.#emptyBlocks > 0) throw unclear('something stands behind its end');
    const kind = String.fromCharCode(header[KIND_AT] ?? 0);
    if (kind === 'g')
      throw unclear('it has a header for all entries (a global one of pax, as of git archive)');
    if (!SAYS.has(kind)) {
      this.#said = '';
      const size = this.#sizes.shift();
      if (size === undefined) throw unclear('it has an entry that can not be read');
      return size;
    }
    const ways = new Set([...this.#said, kind].map((one) => SAYS.get(one)));
    if (this.#said.includes(kind) || ways.size > 1)
      throw unclear('an entry has two headers that say the same of it');
    this.#said += kind;
    const digits = /^ *([0-7]+)[ \0]*$/.exec(header.toString('latin1', SIZE_AT, SIZE_AT + 12))?.[1];
    if (digits === undefined) throw unclear('a header of it has no length');
    return Number.parseInt(digits, 8);
  }
}

const unclear = (why: string): AppError =>
  new AppError('BadRequest', `the tar can not be a /state: ${why}`, { hint: PLAIN_HINT });

const padded = (size: number): number => Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;

/** As the parser has it, which leaves out the sum. */
function isEmpty(header: Buffer): boolean {
  const isZero = (byte: number) => byte === 0;
  return header.subarray(0, SUM_AT).every(isZero) && header.subarray(SUM_AT + 8).every(isZero);
}
