import { request } from 'undici';
import type { Bench, Measurement } from './bench.ts';
import type { BenchHost } from './host-process.ts';
import { listedName, listingHost } from './listing-hosts.ts';
import { ensureWrk, wrkRate } from './load.ts';
import { untilSeen, writeManifest } from './programs.ts';
import { inTurn, type Row } from './stats.ts';

const CONNECTIONS = 16;
/** Against the build before answers were kept as bytes (`--base`). */
const LIST_MIN = { 1: 2, 100: 3, 1000: 3 } as const;
const ONE_MIN = 2;
const UNCHANGED_MIN = 10;
const SIZES = [1, 100, 1_000] as const;
/** Of the host with one program. */
const ONLY = 'only';

/** How many requests a second are answered out of the host's memory, beside an older build and by `wrk`. */
export const baseRate: Measurement = {
  name: 'base-rate',
  async measure(bench) {
    const { base } = bench;
    if (base === undefined) {
      bench.say('base-rate: nothing to compare with; name a checkout by --base');
      return [];
    }
    await ensureWrk(bench.say);
    const ours = new Map<number, BenchHost>();
    const older = new Map<number, BenchHost>();
    for (const size of SIZES) {
      ours.set(size, await listingHost(bench, 'rate', size));
      older.set(size, await listingHost(bench, 'rate', size, base));
    }
    for (const host of [ours.get(1), older.get(1)]) if (host !== undefined) await writeOnly(bench, host);
    const url = (hosts: ReadonlyMap<number, BenchHost>, size: number, path = '/programs') =>
      `${hosts.get(size)?.client.url}${path}`;
    const one = `/programs/${listedName(500)}`;
    const rate =
      (target: string, ...headers: string[]) =>
      () =>
        wrkRate(target, CONNECTIONS, headers);
    const many = url(ours, 1_000);
    const contestants: Record<string, (round: number) => Promise<number>> = {
      one: rate(url(ours, 1_000, one)),
      'base one': rate(url(older, 1_000, one)),
      unchanged: rate(many, `If-None-Match: ${await tagOf(many)}`),
      gzip: rate(many, 'Accept-Encoding: gzip'),
    };
    for (const size of SIZES) {
      contestants[`list ${size}`] = rate(url(ours, size));
      contestants[`base list ${size}`] = rate(url(older, size));
    }
    const done = (round: number) => bench.say(`base-rate: round ${round + 1} of ${bench.rounds}`);
    return rowsOf(await inTurn(bench.rounds, contestants, done));
  },
};

function rowsOf(samples: Record<string, number[]>): Row[] {
  const row = (name: string, ours: string, bare: string, min: number | null): Row => ({
    ...{ name, unit: 'req/s', ours: samples[ours] ?? [], bare: samples[bare] ?? [] },
    against: 'the build of --base, 200 and uncompressed',
    limit: min === null ? null : { kind: 'at least', value: min },
  });
  const list = 'base list 1000';
  return [
    ...SIZES.map((size) =>
      row(`GET /programs of ${size}`, `list ${size}`, `base list ${size}`, LIST_MIN[size]),
    ),
    row('GET /programs of 1,000, 304 by ETag', 'unchanged', list, UNCHANGED_MIN),
    row('GET /programs of 1,000, gzip', 'gzip', list, null),
    row('GET /programs/{id}, one of 1,000', 'one', 'base one', ONE_MIN),
  ];
}

async function writeOnly(bench: Bench, host: BenchHost): Promise<void> {
  const spec = `{userId: bench, image: "${bench.image.tag}", desiredState: Stopped}`;
  await writeManifest(host.registry, ONLY, spec);
  await untilSeen(host, ONLY);
}

/** Throws where the tag does not spare the body, or compression is not given: then the rates would be of something else. */
async function tagOf(url: string): Promise<string> {
  const whole = await request(url);
  await whole.body.dump();
  const tag = String(whole.headers.etag);
  const again = await request(url, { headers: { 'if-none-match': tag } });
  await again.body.dump();
  const coded = await request(url, { headers: { 'accept-encoding': 'gzip' } });
  await coded.body.dump();
  if (again.statusCode !== 304 || coded.headers['content-encoding'] !== 'gzip')
    throw new Error(
      `${url}: ${again.statusCode} by its tag, ${coded.headers['content-encoding']} on request`,
    );
  return tag;
}
