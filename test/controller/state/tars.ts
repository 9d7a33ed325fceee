import { type Header, pack } from 'tar-stream';

export type TarEntry = Partial<Header> & { name: string; text?: string };

/** A tar of these, in pieces of that many bytes. */
export async function tarBytes(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text = '', ...header } of entries) tar.entry(header, text);
  tar.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of tar as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** The same tar with another kind, or another length, in the header that begins there, and its sum put right. */
export function changed(tar: Buffer, at: number, { kind, size }: { kind?: string; size?: number }): Buffer {
  const bytes = Buffer.from(tar);
  const header = bytes.subarray(at, at + 512);
  if (kind !== undefined) header.write(kind, 156, 'latin1');
  if (size !== undefined) header.write(`${size.toString(8).padStart(11, '0')} `, 124, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}
