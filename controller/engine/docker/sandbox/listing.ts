/**
 * Machine code as a listing, the way `objdump -d` writes it: bytes in the order of memory, then the instruction, then
 * what it is for, behind a semicolon. A name in front with a colon is where a branch goes. Only the bytes are taken;
 * a test assembles the instructions by itself and holds the bytes against them.
 */
const LINE =
  /^(?:(?<label>\w+):)?\s*(?<hex>[0-9a-f]{2}(?: [0-9a-f]{2})*) {2,}(?<instruction>[^;]+?)\s*(?:;.*)?$/;

export interface Instruction {
  /** Where a branch goes; `""` of most. */
  label: string;
  bytes: Buffer;
  instruction: string;
}

/** Throws on a line that is none. */
export function readListing(listing: string): Instruction[] {
  const lines = listing.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const { label = '', hex = '', instruction = '' } = LINE.exec(line.trim())?.groups ?? {};
    if (hex === '') throw new Error(`no line of a listing: ${line}`);
    return { label, bytes: Buffer.from(hex.replaceAll(' ', ''), 'hex'), instruction };
  });
}
