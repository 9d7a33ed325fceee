import type { LogStream } from '../../../schemas/log-piece.ts';

/** stream type, three zero bytes, length (big-endian) */
const HEADER_BYTES = 8;
/** By the first byte of a frame's header. */
const STREAMS: Record<number, LogStream> = { 1: 'stdout', 2: 'stderr' };

export interface FramePart {
  stream: LogStream | undefined;
  bytes: Uint8Array;
  /** Whether a frame begins with it. */
  isFirst: boolean;
}

/** Takes Docker's framing off both streams, in order; never holds more than one chunk. Frames may come in parts. */
export async function* framesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FramePart> {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerBytes = 0;
  let left = 0;
  let stream: LogStream | undefined;
  let isFirst = true;
  for await (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const piece = chunk.subarray(at, at + HEADER_BYTES - headerBytes);
        header.set(piece, headerBytes);
        headerBytes += piece.length;
        at += piece.length;
        if (headerBytes < HEADER_BYTES) continue;
        left = header.readUInt32BE(4);
        stream = STREAMS[header[0] ?? 0];
        headerBytes = 0;
        isFirst = true;
        continue;
      }
      const bytes = chunk.subarray(at, at + left);
      at += bytes.length;
      left -= bytes.length;
      yield { stream, bytes, isFirst };
      isFirst = false;
    }
  }
}
