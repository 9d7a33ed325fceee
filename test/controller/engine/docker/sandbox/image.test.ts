import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { extract, type Header } from 'tar-stream';
import { SANDBOX_IMAGE_LABEL, sandboxImage } from '../../../../../controller/engine/docker/sandbox/image.ts';
import { sandboxProcess } from '../../../../../controller/engine/docker/sandbox/process.ts';

interface Entry {
  header: Header;
  bytes: Buffer;
}

async function entriesOf(tar: Buffer): Promise<Map<string, Entry>> {
  const archive = extract();
  archive.end(tar);
  const entries = new Map<string, Entry>();
  for await (const entry of archive) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry as AsyncIterable<Uint8Array>) pieces.push(piece);
    entries.set(entry.header.name, { header: entry.header, bytes: Buffer.concat(pieces) });
  }
  return entries;
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

for (const architecture of ['amd64', 'arm64'] as const) {
  it(`the image for ${architecture} has the process in it and nothing else, and names what it is by digests`, async () => {
    const { archive, reference, shown } = await sandboxImage(architecture);
    const entries = await entriesOf(archive);
    const [manifest] = JSON.parse(entries.get('manifest.json')?.bytes.toString() ?? '');
    assert.deepEqual(manifest.RepoTags, [reference]);
    const config = entries.get(manifest.Config)?.bytes ?? Buffer.alloc(0);
    assert.equal(manifest.Config, `${digest(config)}.json`);
    const layer = entries.get(manifest.Layers[0])?.bytes ?? Buffer.alloc(0);
    const described = JSON.parse(config.toString());
    assert.deepEqual(described.rootfs.diff_ids, [`sha256:${digest(layer)}`]);
    assert.deepEqual(shown, {
      Architecture: described.architecture,
      RootFS: { Layers: described.rootfs.diff_ids },
      Config: described.config,
    });
    assert.equal(described.architecture, architecture);
    assert.ok(reference.endsWith(`:${described.config.Labels[SANDBOX_IMAGE_LABEL]}`));

    const files = await entriesOf(layer);
    assert.deepEqual(
      [...files.keys()].map((name) => `/${name}`),
      described.config.Entrypoint,
    );
    const [{ header, bytes }] = [...files.values()] as [Entry];
    assert.deepEqual(bytes, sandboxProcess(architecture));
    assert.deepEqual([header.uid, header.gid, (header.mode ?? 0) & 0o7777], [0, 0, 0o555]);
    for (const each of [...entries.values(), ...files.values()])
      assert.equal(each.header.mtime?.getTime(), 0);
  });
}

it('an image is the same each time, and each machine has its own', async () => {
  const [one, again, other] = await Promise.all([
    sandboxImage('amd64'),
    sandboxImage('amd64'),
    sandboxImage('arm64'),
  ]);
  assert.deepEqual(one, again);
  assert.notEqual(one.reference, other.reference);
});
