import { aptInstall } from '../setup/apt.ts';
import { findCommand, runCommand } from '../setup/command.ts';
import type { Measurement } from './bench.ts';
import { untilSeen, untilState, writeManifest } from './programs.ts';
import { inTurn } from './stats.ts';

const HOST_PORTS = '27300-27309';
const GIGABYTE = 1e9;
const RATIO_MIN = 0.7;
const CURL_MS_MAX = 300_000;
const NAME = 'large';

/** How fast a body of 1 GB (`--gigabytes`) comes through the proxy, beside the program's own port. */
export const proxyBodies: Measurement = {
  name: 'proxy-bodies',
  async measure(bench) {
    if (!findCommand('curl')) await aptInstall(bench.say, 'the measurement of large bodies', ['curl']);
    const host = await bench.startHost({ instance: `${bench.name}-bodies`, portRange: HOST_PORTS });
    await writeManifest(host.registry, NAME, `{userId: bench, image: "${bench.image.tag}"}`);
    await untilSeen(host, NAME);
    const { proxy_url: direct } = await untilState(host, NAME, 'Ready');
    // The program knows numbers up to 2 GiB.
    const bytes = Math.min(2 ** 31 - 1, Math.round((bench.sizes.gigabytes ?? 1) * GIGABYTE));
    const path = `/bytes?n=${bytes}`;
    const rates = await inTurn(
      bench.rounds,
      {
        ours: () => megabytesPerSecond(`${host.client.url}/programs/${NAME}/proxy${path}`, bytes),
        bare: () => megabytesPerSecond(`${direct.replace('localhost', '127.0.0.1')}${path}`, bytes),
      },
      (round) => bench.say(`proxy-bodies: round ${round + 1} of ${bench.rounds}`),
    );
    return [
      {
        name: `proxied body of ${bytes / GIGABYTE} GB`,
        ...({ unit: 'MB/s', ...rates, against: "the program's own port" } as const),
        limit: { kind: 'at least', value: RATIO_MIN },
      },
    ];
  },
};

/** Throws where the body is not whole. */
async function megabytesPerSecond(url: string, bytes: number): Promise<number> {
  const format = '%{http_code} %{size_download} %{speed_download}';
  const argv = ['curl', '--silent', '--output', '/dev/null', '--write-out', format, url];
  const { code, output } = await runCommand(argv, { timeout: CURL_MS_MAX });
  const [status, got, speed] = output.trim().split(' ').map(Number);
  if (code !== 0 || status !== 200 || got !== bytes || speed === undefined)
    throw new Error(`curl ended with ${code} on ${url}: ${output}`);
  return speed / 1e6;
}
