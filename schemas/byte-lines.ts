const LINE_FEED = 10;

/** How long a line may be, and what is thrown of one that is longer, however much of it has come. */
interface LineLimit {
  bytesMax: number;
  tooLong(): Error;
}

/**
 * What comes in pieces, line by line, no faster than it is read. Lines have no line feed; empty ones are left out.
 * @returns what stands behind the last line feed
 */
export async function* byteLines(
  chunks: AsyncIterable<Uint8Array>,
  limit?: LineLimit,
): AsyncGenerator<Buffer, Buffer> {
  let rest: Buffer[] = [];
  let bytes = 0;
  const check = (length: number) => {
    if (limit !== undefined && length > limit.bytesMax) throw limit.tooLong();
  };
  for await (const chunk of chunks) {
    let at = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, at)) {
      const line = Buffer.concat([...rest, chunk.subarray(at, end)]);
      [rest, bytes, at] = [[], 0, end + 1];
      check(line.length);
      if (line.length > 0) yield line;
    }
    bytes += chunk.length - at;
    check(bytes);
    if (at < chunk.length) rest.push(Buffer.from(chunk.subarray(at)));
  }
  return Buffer.concat(rest);
}
