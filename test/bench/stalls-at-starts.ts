import { fleetNames, removeFleet, untilAll, writeFleet } from './fleet.ts';
import { crashAndHeal } from './healing.ts';
import { untilState } from './programs.ts';
import type { StallScript } from './stalls.ts';

const SIZE = 200;
const CRASHES = 10;

/** Many from nothing, crashes, and another host on what runs. */
export const stallsAtStarts: StallScript = async ({ bench, registry, events, start, note }) => {
  const size = Math.min(SIZE, bench.sizes.programs ?? SIZE);
  const host = await start({ flags: { sandbox: 'on' } });
  await note('host start, no programs', host);
  const names = fleetNames(`${bench.name}-stall`, size);
  await writeFleet(bench, registry, names);
  await untilAll(host, 'get Ready', size, ({ state }) => state === 'Ready');
  await note(`${size} programs from nothing`, host);
  for (const name of names.slice(0, CRASHES)) {
    const { proxy_url: url } = await untilState(host, name, 'Ready');
    await crashAndHeal(Number(new URL(url).port));
  }
  await note(`${Math.min(CRASHES, size)} crashes`, host);
  await host.stop();
  const again = await start({ flags: { sandbox: 'on' } });
  await untilAll(again, 'are Ready', size, ({ state }) => state === 'Ready');
  await note(`host start on ${size} running programs`, again);
  await removeFleet(again, events, names);
  await note(`${size} programs deleted`, again);
};
