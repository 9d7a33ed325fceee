import type { Bench, Measurement } from './bench.ts';
import type { BenchHost } from './host-process.ts';
import { listedName, listingHost } from './listing-hosts.ts';
import { ensureWrk, requestsPerSecond, wrkRate } from './load.ts';
import { untilSeen, untilState, writeManifest } from './programs.ts';
import { type Row, turned } from './stats.ts';

/** Of the program's own rate: nginx with one worker has 0.64. */
const PROXY_RATIO_MIN = 0.6;
const PROXY_CONNECTIONS = [1, 16] as const;
/** The Go host that this one replaces answers a list of 1,000 at 1/60 of the rate of a list of one. */
const LIST_RATIO_MIN = 1 / 30;

const FLEETS = [1, 100, 1_000] as const;

/** How many requests a second the host answers, from its own memory and for its programs. */
export const requestRate: Measurement = {
  name: 'request-rate',
  async measure(bench) {
    // A host a fleet, all at once, so that their turns can alternate; one that is not asked does next to nothing.
    const hosts = new Map<number, BenchHost>();
    for (const size of FLEETS) hosts.set(size, await listingHost(bench, 'req', size));
    const [single, many] = [hostFor(hosts, 1), hostFor(hosts, 1_000)];
    const { program_id: name, proxy_url: direct } = await startServing(bench, single);
    await ensureWrk(bench.say);
    const proxy: Row[] = [];
    for (const connections of PROXY_CONNECTIONS) {
      const both = {
        direct: `${direct.replace('localhost', '127.0.0.1')}/watcher/status`,
        proxy: `${single.client.url}/programs/${name}/proxy/watcher/status`,
      };
      proxy.push(proxyRow(connections, await alternate(bench, both, (url) => wrkRate(url, connections))));
    }
    const urls = {
      one: `${single.client.url}/programs/${name}`,
      oneOfMany: `${many.client.url}/programs/${listedName(500)}`,
      list1: `${single.client.url}/programs`,
      list100: `${hostFor(hosts, 100).client.url}/programs`,
      list1000: `${many.client.url}/programs`,
    };
    return [...proxy, ...rowsOf(await alternate(bench, urls, requestsPerSecond))];
  },
};

type Rates<K extends string> = Record<K, number[]>;

/** A round unseen, so that nobody is measured cold, and then the rounds that count. */
async function alternate<K extends string>(
  bench: Bench,
  urls: Record<K, string>,
  rateOf: (url: string) => Promise<number>,
): Promise<Rates<K>> {
  const keys = Object.keys(urls) as K[];
  const rates = Object.fromEntries(keys.map((key) => [key, [] as number[]])) as unknown as Rates<K>;
  for (let round = -1; round < bench.rounds; round++) {
    for (const key of turned(keys, Math.max(0, round))) {
      const rate = await rateOf(urls[key]);
      if (round >= 0) rates[key].push(rate);
    }
    if (round >= 0) bench.say(`request-rate: round ${round + 1} of ${bench.rounds}`);
  }
  return rates;
}

function proxyRow(connections: number, { proxy, direct }: Rates<'proxy' | 'direct'>): Row {
  return row(
    `proxied GET, ${connections} ${connections === 1 ? 'connection' : 'connections'}`,
    proxy,
    direct,
    "the program's own port",
    PROXY_RATIO_MIN,
  );
}

function rowsOf(rates: Rates<'one' | 'oneOfMany' | 'list1' | 'list100' | 'list1000'>): Row[] {
  const list = 'GET /programs of 1';
  return [
    row('GET /programs/{id}', rates.one, [], '', null),
    row('GET /programs/{id}, one of 1,000', rates.oneOfMany, rates.one, 'the only one', null),
    row('GET /programs of 1', rates.list1, [], '', null),
    row('GET /programs of 100', rates.list100, rates.list1, list, null),
    row('GET /programs of 1,000', rates.list1000, rates.list1, list, LIST_RATIO_MIN),
  ];
}

function row(name: string, ours: number[], bare: number[], against: string, min: number | null): Row {
  return {
    ...{ name, unit: 'req/s', ours, bare, against },
    limit: min === null ? null : { kind: 'at least', value: min },
  };
}

function hostFor(hosts: ReadonlyMap<number, BenchHost>, size: number): BenchHost {
  const host = hosts.get(size);
  if (host === undefined) throw new Error(`there is no host with ${size} programs`);
  return host;
}

async function startServing(bench: Bench, host: BenchHost) {
  const name = 'serving';
  await writeManifest(host.registry, name, `{userId: bench, image: "${bench.image.tag}"}`);
  await untilSeen(host, name);
  const answer = await untilState(host, name, 'Ready');
  bench.say(`request-rate: ${name} serves`);
  return answer;
}
