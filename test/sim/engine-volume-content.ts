import { pack } from 'tar-stream';
import type { Engine } from '../../controller/engine/engine.ts';
import { AppError } from '../../schemas/errors.ts';
import { LABELS } from '../../schemas/program.ts';
import { diskFull } from './engine-build.ts';
import type { SimWorld } from './engine-world.ts';

type Call = <T>(method: string, act: () => T | Promise<T>) => Promise<T>;

/** What is in a volume is what was unpacked into it, as it came. */
export function simVolumeContent(
  world: SimWorld,
  instance: string,
  call: Call,
): Pick<Engine, 'readVolume' | 'fillVolume'> {
  return {
    readVolume: (name) =>
      call('readVolume', () => {
        const volume = world.volumes.get(name);
        return volume && piecesOf(volume.content);
      }),
    fillVolume: ({ volume, labels, content }) =>
      call('fillVolume', async () => {
        if (world.volumes.has(volume)) throw new AppError('Conflict', `there is a volume ${volume} already`);
        const pieces: Uint8Array[] = [];
        for await (const piece of content) pieces.push(piece);
        if (world.diskFull) throw diskFull('no space left on device');
        const all = { ...labels, [LABELS.instance]: instance };
        world.volumes.set(volume, { id: world.newId(), labels: all, content: Buffer.concat(pieces) });
      }),
  };
}

async function* piecesOf(content: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (content !== undefined) return yield content;
  const tar = pack();
  tar.entry({ name: './', type: 'directory', mode: 0o755 });
  tar.finalize();
  yield* tar as AsyncIterable<Uint8Array>;
}
