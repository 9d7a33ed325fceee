import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapLimit } from '../../registry/files/map-limit.ts';
import type { Bench, Measurement } from './bench.ts';
import { rssMb } from './process-usage.ts';
import { manifest, untilSeen, untilState } from './programs.ts';
import type { Row } from './stats.ts';

const HOST_PORTS = '27310-27319';
const COUNT = 1_000;
const AT_ONCE = 16;
const KB_MAX = 30;
/** What a start left behind has settled by then, and what was opened stands still. */
const CALM_MS = 20_000;
/** Beside them; a host has opened some by the time that its memory is looked at, so that their code is loaded. */
const WARM = 20;
const NAME = 'sockets';
/** A thread of the test server each. */
const SPEC = '{memory: 512Mi, pids: 2048}';

/** What 1,000 WebSockets through the proxy take of the host's memory while nothing is sent. A host of its own a round. */
export const idleWebSockets: Measurement = {
  name: 'idle-websockets',
  async measure(bench) {
    const registry = mkdtempSync(join(tmpdir(), 'hersh-bench-'));
    const each: number[] = [];
    try {
      for (let round = 0; round < bench.rounds; round++) {
        each.push(await kilobytesEach(bench, registry));
        bench.say(`idle-websockets: round ${round + 1} of ${bench.rounds}`);
      }
    } finally {
      rmSync(registry, { recursive: true, force: true });
    }
    const name = `RSS for each of ${COUNT} idle WebSockets`;
    const rows: Row[] = [
      {
        ...{ name, unit: 'KB', ours: each, bare: [], against: '' },
        limit: { kind: 'at most', value: KB_MAX },
      },
    ];
    return rows;
  },
};

async function kilobytesEach(bench: Bench, registry: string): Promise<number> {
  const host = await bench.startHost({
    ...{ instance: `${bench.name}-sockets`, portRange: HOST_PORTS, registry },
    fill: () => writeSpec(bench, registry),
  });
  const sockets: Socket[] = [];
  const url = `${host.client.url}/programs/${NAME}/proxy/upgrade`;
  const open = (count: number) =>
    mapLimit(Array.from({ length: count }), AT_ONCE, async () => {
      sockets.push(await openWebSocket(url));
    });
  try {
    await untilSeen(host, NAME);
    await untilState(host, NAME, 'Ready');
    await open(WARM);
    await sleep(CALM_MS);
    const before = rssMb(host.pid);
    await open(COUNT);
    await sleep(CALM_MS);
    const kilobytes = ((rssMb(host.pid) - before) * 1024) / COUNT;
    const gone = sockets.filter(({ destroyed }) => destroyed).length;
    if (gone > 0) throw new Error(`${gone} of ${sockets.length} WebSockets did not stay open`);
    return kilobytes;
  } finally {
    for (const socket of sockets) socket.destroy();
    await host.stop();
  }
}

function writeSpec({ image }: Bench, registry: string): void {
  mkdirSync(join(registry, 'programs'), { recursive: true });
  const spec = `{userId: bench, image: "${image.tag}", resources: ${SPEC}}`;
  writeFileSync(join(registry, 'programs', `${NAME}.yaml`), manifest(NAME, spec));
}

function openWebSocket(url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    };
    const asked = request(url, { headers, agent: false });
    asked.once('upgrade', (_response, socket: Socket) => resolve(socket));
    asked.once('response', ({ statusCode }) => reject(new Error(`${url} answered ${statusCode}`)));
    asked.once('error', reject);
    asked.end();
  });
}
