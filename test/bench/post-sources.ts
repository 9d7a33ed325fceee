import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement } from './bench.ts';
import type { BenchHost } from './host-process.ts';
import { USER } from './programs.ts';
import { inTurn, type Row } from './stats.ts';

const HOST_PORTS = '27320-27399';
const RATIO_MAX = 1.3;
/** A body of the form that a small project has, and one near what a POST may bring. */
const SHAPES = [
  { files: 20, bytes: 5_000 },
  { files: 400, bytes: 40_000 },
] as const;

/** `POST` of sources → answered, beside the same files written and synced by hand, on the same disk. */
export const postSources: Measurement = {
  name: 'post-sources',
  async measure(bench) {
    const host = await bench.startHost({ instance: `${bench.name}-sources`, portRange: HOST_PORTS });
    const hand = mkdtempSync(join(tmpdir(), 'hersh-bench-hand-'));
    const rows: Row[] = [];
    try {
      for (const { files, bytes } of SHAPES) {
        const samples = await inTurn(
          bench.rounds,
          {
            ours: () => post(host, sourcesOf(files, bytes)),
            bare: (round) => writeByHand(join(hand, `${files}-${round + 1}`), sourcesOf(files, bytes)),
          },
          (round) => bench.say(`post-sources: ${files} files, round ${round + 1} of ${bench.rounds}`),
        );
        rows.push({
          name: `POST of ${files} files of ${bytes / 1000} KB → answered`,
          ...({ unit: 'ms', ...samples, against: 'written and synced by hand' } as const),
          limit: { kind: 'at most', value: RATIO_MAX },
        });
      }
    } finally {
      rmSync(hand, { recursive: true, force: true });
    }
    return rows;
  },
};

/** New ones each time: what is there is not written again. */
function sourcesOf(files: number, bytes: number): Record<string, string> {
  const names = Array.from({ length: files }, (_, index) => `pkg-${index % 10}/file-${index}.txt`);
  return Object.fromEntries(names.map((name) => [name, randomBytes(bytes / 2).toString('hex')]));
}

async function post(host: BenchHost, files: Record<string, string>): Promise<number> {
  const body = { user_id: USER, dockerfile: 'FROM scratch\n', src_files: files };
  const from = performance.now();
  const { program_id: name } = await host.client.json<{ program_id: string }>('POST', '/programs', body);
  const ms = performance.now() - from;
  await host.client.json('DELETE', `/programs/${name}`);
  return ms;
}

/** Each file and each folder synced, one after the other, as one would who wants them to be there after a power cut. */
async function writeByHand(folder: string, files: Record<string, string>): Promise<number> {
  const from = performance.now();
  const folders = new Set([folder]);
  mkdirSync(folder);
  for (const [name, content] of Object.entries({ Dockerfile: 'FROM scratch\n', ...files })) {
    const path = join(folder, name);
    const parent = join(path, '..');
    if (!folders.has(parent)) mkdirSync(parent, { recursive: true });
    folders.add(parent);
    await synced(path, 'wx', content);
  }
  for (const one of folders) await synced(one, 'r');
  return performance.now() - from;
}

async function synced(path: string, flags: 'r' | 'wx', content?: string): Promise<void> {
  const file = await open(path, flags);
  try {
    if (content !== undefined) await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
