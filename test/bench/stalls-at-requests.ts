import { fillStopped, listedName } from './listing-hosts.ts';
import { ensureWrk, wrkRate } from './load.ts';
import { until } from './poll.ts';
import { removeProgram, untilSeen, untilState, writeManifest } from './programs.ts';
import type { StallScript } from './stalls.ts';

const SIZE = 1_000;
const CONNECTIONS = 16;
const SECONDS = 5;
const NAME = 'answering';

/** Lists, single programs and proxied requests, as many as are answered. */
export const stallsAtRequests: StallScript = async ({ bench, registry, events, start, note }) => {
  await ensureWrk(bench.say);
  // The ports of those are pinned beyond the range; one is left for the program that runs.
  const host = await start({ fill: () => fillStopped(bench, registry, SIZE) });
  const name = `${bench.name}-${NAME}`;
  await writeManifest(registry, name, `{userId: bench, image: "${bench.image.tag}"}`);
  await untilSeen(host, name);
  await untilState(host, name, 'Ready');
  await until('all are known', async () => {
    const { count } = await host.client.json<{ count: number }>('GET', '/programs');
    return count === SIZE + 1;
  });
  await host.longestStall();
  const paths = {
    [`GET /programs of ${SIZE}`]: '/programs',
    'GET /programs/{id}': `/programs/${listedName(SIZE / 2)}`,
    'proxied GET': `/programs/${name}/proxy/watcher/status`,
    'proxied bodies of 5 MB': `/programs/${name}/proxy/bytes?n=5000000`,
  };
  for (const [what, path] of Object.entries(paths)) {
    for (let second = 0; second < SECONDS; second++) await wrkRate(`${host.client.url}${path}`, CONNECTIONS);
    await note(`${what}, ${CONNECTIONS} connections`, host);
  }
  await removeProgram(host, events, name);
};
