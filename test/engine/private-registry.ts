import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type Docker from 'dockerode';
import { extract } from 'tar-stream';

/** A registry that gives an image of this machine to whoever logs in, and takes nothing. */
export interface PrivateRegistry {
  /** `127.0.0.1:<port>`, which engines use without TLS. */
  address: string;
  /** What is not taken in is 401. */
  login: { username: string; password: string };
  /** Gives a name, `shop/app:1`, to a new build of the image, which has that label; or to none: 404. */
  publish(name: string, version: string | undefined): void;
  /** Manifests that were asked for and given, as `shop/app:1`; and how often somebody was refused. */
  given: string[];
  refused(): number;
  close(): Promise<void>;
}

interface Saved {
  config: Record<string, unknown> & { config?: { Labels?: Record<string, string> } };
  layers: Buffer[];
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const CONFIG = 'application/vnd.docker.container.image.v1+json';
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** @param image on that engine. Docker takes all of 127.0.0.0/8 for registries without TLS (20.10 to 28.5) */
export async function openPrivateRegistry(docker: Docker, image: string): Promise<PrivateRegistry> {
  const saved = await save(docker, image);
  const login = { username: 'robot', password: `s3cret-${process.pid}-${Date.now()}` };
  const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const blobs = new Map<string, Buffer>();
  const tags = new Map<string, string>();
  const given: string[] = [];
  let refused = 0;
  const add = (mediaType: string, bytes: Buffer) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    blobs.set(digest, bytes);
    return { mediaType, size: bytes.length, digest };
  };
  const layers = saved.layers.map((layer) => add(LAYER, gzipSync(layer)));

  const server = createServer(({ url = '', method, headers }, response) => {
    const answer = (status: number, more: Record<string, string | number>, body: Buffer | string) => {
      response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...more });
      response.end(method === 'HEAD' ? undefined : body);
    };
    const error = (status: number, code: string, more = {}) =>
      // As some do, it says what it was told.
      answer(
        status,
        more,
        JSON.stringify({ errors: [{ code, message: `${code}: ${headers.authorization}` }] }),
      );
    if (headers.authorization !== basic) {
      refused++;
      return error(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="private"' });
    }
    const [, name = '', kind, wanted = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
    if (url === '/v2/') return answer(200, {}, '{}');
    const tag = `${name}:${wanted}`;
    const digest = kind === 'manifests' ? (tags.get(tag) ?? wanted) : wanted;
    const bytes = blobs.get(digest);
    if (bytes === undefined) return error(404, 'MANIFEST_UNKNOWN');
    if (tags.has(tag)) given.push(tag);
    const type = kind === 'manifests' ? MANIFEST : 'application/octet-stream';
    answer(200, { 'content-type': type, 'docker-content-digest': digest }, bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    ...{ address: `127.0.0.1:${port}`, login, given, refused: () => refused },
    publish(name, version) {
      tags.delete(name);
      if (version === undefined) return;
      const { config } = saved;
      const labels = { ...config.config?.Labels, version };
      const changed = { ...config, config: { ...config.config, Labels: labels } };
      const of = add(CONFIG, Buffer.from(JSON.stringify(changed)));
      const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: of, layers };
      tags.set(name, add(MANIFEST, Buffer.from(JSON.stringify(manifest))).digest);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Config and unpacked layers, out of what `docker save` gives. */
async function save(docker: Docker, image: string): Promise<Saved> {
  const files = new Map<string, Buffer>();
  const archive = extract();
  (await docker.getImage(image).get()).pipe(archive);
  for await (const entry of archive) files.set(entry.header.name, await buffer(entry));
  const json = (name: string) => JSON.parse(String(files.get(name)));
  const [{ Config, Layers }] = json('manifest.json');
  return {
    config: json(Config),
    layers: (Layers as string[]).map((name) => files.get(name) ?? Buffer.alloc(0)),
  };
}
