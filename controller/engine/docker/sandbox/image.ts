import { createHash } from 'node:crypto';
import { pack } from 'tar-stream';
import { type Architecture, sandboxProcess } from './process.ts';

/** On the image, and so on what is made of it: that it is one, by the digest that its tag has too. */
export const SANDBOX_IMAGE_LABEL = 'dev.hersh.sandbox-image';

const PATH = 'sandbox';
/** Nobody's, on every system. */
const USER = '65534:65534';
/** The same bytes at all times: an image's id is their digest. */
const EPOCH = new Date(0);
const DIGITS = 12;

export interface SandboxImage {
  /** `hersh/sandbox:<digits>`: another content has another tag. */
  reference: string;
  /** What `docker load` takes. */
  archive: Buffer;
  /** What an engine shows of it, whatever its store: by this it is known, since an id means something else on each. */
  shown: ShownImage;
}

/** Part of what `GET /images/{name}/json` answers. */
export interface ShownImage {
  Architecture: Architecture;
  RootFS: { Layers: string[] };
  Config: { User: string; Entrypoint: string[]; Labels: Record<string, string> };
}

/**
 * An image from nothing with the sandbox's process in it and no file beside. The same at each call and on each machine.
 * @param repository under which it is named
 */
export async function sandboxImage(
  architecture: Architecture,
  repository = 'hersh/sandbox',
): Promise<SandboxImage> {
  const layer = await tar([{ name: PATH, mode: 0o555, bytes: sandboxProcess(architecture) }]);
  const layers = [`sha256:${sha256(layer)}`];
  const version = sha256(`${architecture} ${layers}`).slice(0, DIGITS);
  const config = {
    User: USER,
    Entrypoint: [`/${PATH}`],
    Labels: { [SANDBOX_IMAGE_LABEL]: version },
  };
  const json = JSON.stringify({
    architecture,
    os: 'linux',
    created: EPOCH.toISOString(),
    config,
    rootfs: { type: 'layers', diff_ids: layers },
    history: [{ created: EPOCH.toISOString(), created_by: 'hersh-host: sandbox' }],
  });
  const reference = `${repository}:${version}`;
  const configName = `${sha256(json)}.json`;
  const manifest = [{ Config: configName, RepoTags: [reference], Layers: ['layer.tar'] }];
  const archive = await tar([
    { name: configName, mode: 0o444, bytes: Buffer.from(json) },
    { name: 'layer.tar', mode: 0o444, bytes: layer },
    { name: 'manifest.json', mode: 0o444, bytes: Buffer.from(JSON.stringify(manifest)) },
  ]);
  return {
    reference,
    archive,
    shown: { Architecture: architecture, RootFS: { Layers: layers }, Config: config },
  };
}

async function tar(files: readonly { name: string; mode: number; bytes: Buffer }[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, mode, bytes } of files)
    archive.entry({ name, mode, mtime: EPOCH, uid: 0, gid: 0 }, bytes);
  archive.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of archive as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
