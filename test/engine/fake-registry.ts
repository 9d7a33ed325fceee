import { createHash, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export interface FakeRegistry {
  /** `127.0.0.1:<port>`, which engines use without TLS. */
  address: string;
  /** Answers that are half given and go no further, and whose reader still waits. */
  stalled(): number;
  close(): Promise<void>;
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/** Of what is not compressed away: as much as shows progress. */
const LAYER_BYTES = 2 ** 21;

/**
 * A registry with one small image, under every name that ends in `/there:1`; it has no other. Under a name that ends
 * in `/stalls:1` its layer stops half way.
 */
export async function openFakeRegistry(): Promise<FakeRegistry> {
  const tar = pack();
  tar.entry({ name: 'hello' }, `hello ${process.pid} ${Date.now()}`);
  tar.entry({ name: 'noise' }, randomBytes(LAYER_BYTES));
  tar.finalize();
  const layer = await buffer(tar);
  const zipped = gzipSync(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Cmd: ['/hello'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: descriptor('application/vnd.docker.container.image.v1+json', config),
      layers: [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', zipped)],
    }),
  );
  const blobs = new Map([config, zipped, manifest].map((bytes) => [digestOf(bytes), bytes]));

  const stalled = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    const [, name, wanted] = /\/(there|stalls)\/(?:manifests|blobs)\/(.+)$/.exec(url) ?? [];
    const bytes = wanted === '1' ? manifest : blobs.get(wanted ?? '');
    if (url === '/v2/') {
      response.end('{}');
    } else if (bytes === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }));
    } else {
      response.writeHead(200, {
        'content-type': bytes === manifest ? MANIFEST : 'application/octet-stream',
        'content-length': bytes.length,
        'docker-content-digest': digestOf(bytes),
      });
      if (request.method === 'HEAD') response.end();
      else if (name === 'there' || bytes !== zipped) response.end(bytes);
      else {
        stalled.add(response);
        response.once('close', () => stalled.delete(response));
        response.write(bytes.subarray(0, bytes.length / 2));
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    stalled: () => stalled.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function descriptor(mediaType: string, bytes: Uint8Array): object {
  return { mediaType, size: bytes.length, digest: digestOf(bytes) };
}
