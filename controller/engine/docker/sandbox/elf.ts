/** A file that the kernel runs, as small as it takes one: a header, one segment, the code. */

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
/** Where the file begins in memory: above what no process may map. */
const BASE = 0x40_0000n;
/** The largest page of either machine. */
const PAGE_BYTES = 0x1_0000n;

const ELF = Buffer.from([0x7f, ...Buffer.from('ELF')]);
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const VERSION = 1;
const EXECUTABLE = 2;
const LOADED = 1;
const READ_AND_RUN = 4 | 1;

/**
 * The executable of machine code that needs nothing beside it and no writable memory but the stack. It begins with its
 * first byte.
 * @param machine `e_machine`: 62 is x86-64, 183 is arm64
 */
export function elf64(machine: number, code: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES + SEGMENT_BYTES);
  const size = BigInt(head.length + code.length);
  fillHeader(head.subarray(0, HEADER_BYTES), machine, BASE + BigInt(head.length));
  fillSegment(head.subarray(HEADER_BYTES), size);
  return Buffer.concat([head, code]);
}

/** `Elf64_Ehdr`. What is not written is 0: flags, and all of sections, of which there are none. */
function fillHeader(header: Buffer, machine: number, entry: bigint): void {
  ELF.copy(header);
  header.writeUInt8(CLASS_64, 4);
  header.writeUInt8(LITTLE_ENDIAN, 5);
  header.writeUInt8(VERSION, 6);
  header.writeUInt16LE(EXECUTABLE, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(VERSION, 20);
  header.writeBigUInt64LE(entry, 24);
  header.writeBigUInt64LE(BigInt(HEADER_BYTES), 32); // where the segments are told of
  header.writeUInt16LE(HEADER_BYTES, 52);
  header.writeUInt16LE(SEGMENT_BYTES, 54);
  header.writeUInt16LE(1, 56); // of these there is one
}

/** `Elf64_Phdr`: the whole file, headers included, since a segment begins with a page. */
function fillSegment(segment: Buffer, size: bigint): void {
  segment.writeUInt32LE(LOADED, 0);
  segment.writeUInt32LE(READ_AND_RUN, 4);
  segment.writeBigUInt64LE(0n, 8); // from the file's first byte
  segment.writeBigUInt64LE(BASE, 16);
  segment.writeBigUInt64LE(BASE, 24);
  segment.writeBigUInt64LE(size, 32);
  segment.writeBigUInt64LE(size, 40);
  segment.writeBigUInt64LE(PAGE_BYTES, 48);
}
