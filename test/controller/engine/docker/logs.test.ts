import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { demultiplex } from '../../../../controller/engine/docker/logs.ts';

const TIME = '2026-11-22T10:00:00.123456789Z';

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(`${TIME} ${text}`);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

async function read(chunks: Uint8Array[]): Promise<string> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  let text = '';
  const bytes: Uint8Array[] = [];
  for await (const piece of demultiplex(source())) {
    if (piece.time !== '') text += `<${piece.time === TIME ? 'T' : piece.time}>`;
    bytes.push(piece.bytes);
  }
  return text + Buffer.concat(bytes).toString('utf8');
}

describe('demultiplex', () => {
  const bytes = Buffer.concat([
    frame(1, 'out 1\n'),
    frame(2, 'err ü\n'),
    frame(1, ''),
    frame(1, 'x'.repeat(70_000)),
  ]);
  const want = `<T><T><T><T>out 1\nerr ü\n${'x'.repeat(70_000)}`;

  it('takes the framing and the times off in order', async () => assert.equal(await read([bytes]), want));

  it('does not care where chunks end', async () => {
    for (const size of [1, 3, 7, 8, 9, 16_384]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      assert.equal(await read(chunks), want, `chunks of ${size}`);
    }
  });

  it('tells the stream of every piece, of a frame that is cut too', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      const one = Buffer.concat([frame(2, 'error\n'), frame(1, 'out\n')]);
      yield one.subarray(0, 42);
      yield one.subarray(42);
    }
    const told: string[] = [];
    for await (const { stream, bytes } of demultiplex(source())) told.push(`${stream} ${bytes.toString()}`);
    assert.deepEqual(told, ['stderr err', 'stderr or\n', 'stdout out\n']);
  });

  it('gives nothing for nothing', async () => assert.equal(await read([]), ''));
});
