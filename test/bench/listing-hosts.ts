import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';
import { manifest } from './programs.ts';

const HOST_PORTS = '29420-29439';
/** Of programs that are stopped and stay so: a number each has to hold, and nothing listens on it. */
const STOPPED_PORT_MIN = 21_000;

/** The program of that number, of a host with many. */
export const listedName = (index: number): string => `listed-${index}`;

/**
 * A host with that many programs, all stopped; with none for 1, which is somebody else's to make. It has looked at each
 * of them once. @param who tells hosts of several measurements apart
 */
export async function listingHost(
  bench: Bench,
  who: string,
  size: number,
  checkout?: string,
): Promise<BenchHost> {
  const stopped = size === 1 ? 0 : size;
  const host = await bench.startHost({
    instance: `${bench.name}-${who}-${size}${checkout === undefined ? '' : '-base'}`,
    portRange: HOST_PORTS,
    ...(checkout !== undefined && { checkout }),
    fill: (registry) => fillStopped(bench, registry, stopped),
  });
  await until(`the host of ${size} has looked at all of them`, async () => {
    const { programs, count } = await host.client.json<{ programs: Listed[]; count: number }>(
      'GET',
      '/programs',
    );
    return count === stopped && programs.every(({ proxy_url }) => proxy_url !== '');
  });
  bench.say(`a host with ${size} programs${checkout === undefined ? '' : ', the build of --base'}`);
  return host;
}

/** So many manifests of stopped programs. */
export function fillStopped({ image }: Bench, registry: string, count: number): void {
  const folder = join(registry, 'programs');
  mkdirSync(folder);
  for (let index = 0; index < count; index++) {
    // Pinned, or the host would have to find a free port for each.
    const port = STOPPED_PORT_MIN + index;
    const spec = `{userId: bench, image: "${image.tag}", desiredState: Stopped, publishPort: ${port}}`;
    writeFileSync(join(folder, `${listedName(index)}.yaml`), manifest(listedName(index), spec));
  }
}

interface Listed {
  proxy_url: string;
}
