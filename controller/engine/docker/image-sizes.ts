import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { absent } from './errors.ts';

/**
 * What images take up, layer by layer. The engine's own sums (`Size`, `SharedSize`, those of `GET /system/df`) mean
 * something else on each image store: on containerd's they count blobs beside snapshots and share only the latter
 * (measured with 28.5.2). An image's layers and its history say the same on all of them.
 */

interface Layer {
  /** Names the layer and all below it. */
  chain: string;
  bytes: number;
}

/** Of an image's history, which the engine gives newest first. */
export interface HistoryStep {
  /** `RUN …` of BuildKit, `/bin/sh -c #(nop) …` of the classic builder, `""` of an import. */
  CreatedBy: string;
  /** Unpacked. */
  Size: number;
}

export interface ImageLayers {
  id: string;
  /** Epoch seconds. */
  createdS: number;
  /** Whether a host built it: what it shares with the others is counted for them. */
  isHosts: boolean;
  layers: readonly Layer[];
}

/** Instructions that make no layer, whoever wrote the step down. */
const NO_LAYER =
  /^(\/bin\/sh -c #\(nop\) +)?((ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b|WORKDIR \/$)/;

/**
 * An image's layers, lowest first. A step of no bytes may have made an empty layer or none, which the history does not
 * say: its instruction does. Counted from the top, since a base may come without its history.
 * @param diffIds lowest first, as `RootFS.Layers` has them
 */
export function layersOf(diffIds: readonly string[], history: readonly HistoryStep[]): Layer[] {
  const made = history.filter(({ Size, CreatedBy }) => Size > 0 || !NO_LAYER.test(CreatedBy));
  let chain = '';
  return diffIds.map((diffId, at) => {
    chain = createHash('sha256').update(`${chain} ${diffId}`).digest('hex');
    return { chain, bytes: made[diffIds.length - 1 - at]?.Size ?? 0 };
  });
}

/**
 * Bytes by image id, each layer counted once over all images: for one that no host built, where it has such, otherwise
 * for the oldest.
 */
export function countOnce(images: readonly ImageLayers[]): Map<string, number> {
  const order = [...images].sort(
    (a, b) =>
      Number(a.isHosts) - Number(b.isHosts) ||
      a.createdS - b.createdS ||
      (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  const counted = new Set<string>();
  return new Map(
    order.map(({ id, layers }) => {
      const own = layers.filter(({ chain }) => !counted.has(chain));
      for (const { chain } of own) counted.add(chain);
      return [id, own.reduce((sum, { bytes }) => sum + bytes, 0)];
    }),
  );
}

/**
 * Sizes of all images of an engine, by id. What an image is made of never changes, so each is asked about once. One
 * that goes meanwhile has no size. Rejects as `absent` does.
 */
export function createImageSizes(docker: Docker) {
  let known = new Map<string, Layer[]>();

  async function read(id: string, isHosts: boolean): Promise<Layer[] | undefined> {
    const image = docker.getImage(id);
    const inspected = await absent(image.inspect(), [404], 'InternalError');
    // Bytes of layers that others have too are theirs, so nobody asks how many; and not all that lies there is whole.
    const history = isHosts ? await absent<HistoryStep[]>(image.history(), [404], 'InternalError') : [];
    return inspected && history && layersOf(inspected.RootFS.Layers ?? [], history);
  }

  return async (
    listed: readonly { id: string; createdS: number; isHosts: boolean }[],
  ): Promise<ReadonlyMap<string, number>> => {
    const before = known;
    const next = new Map<string, Layer[]>();
    const images: ImageLayers[] = [];
    for (const row of listed) {
      const key = `${row.isHosts} ${row.id}`;
      const layers = before.get(key) ?? (await read(row.id, row.isHosts));
      if (layers === undefined) continue;
      next.set(key, layers);
      images.push({ ...row, layers });
    }
    known = next;
    return countOnce(images);
  };
}
