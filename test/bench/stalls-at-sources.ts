import { randomBytes } from 'node:crypto';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Say } from '../setup/say.ts';
import { dockerfileOf } from './bench.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';
import { type ProgramAnswer, USER, writeManifest } from './programs.ts';
import type { StallScript } from './stalls.ts';

const GIGABYTES = 5;
/** What a program may be built from is 1 GiB: as many programs as it takes, and as many files. */
const CONTEXT_BYTES = 1e9;
const FILE_BYTES = 256e6;
/** A body near what a POST may bring. */
const POSTED = { files: 400, bytes: 40_000 };
/** Read, hashed, put into a tar and given to the engine, which has a limit of its own. */
const BUILT_MS_MAX = 30 * 60_000;

/** A large context hashed and built from, and sources by POST. */
export const stallsAtSources: StallScript = async ({ bench, registry, start, note }) => {
  const host = await start();
  await host.longestStall();
  const files = Array.from({ length: POSTED.files }, (_, index) => [
    `file-${index}.txt`,
    randomBytes(POSTED.bytes / 2).toString('hex'),
  ]);
  const body = { user_id: USER, dockerfile: 'FROM scratch\n', src_files: Object.fromEntries(files) };
  const { program_id: posted } = await host.client.json<{ program_id: string }>('POST', '/programs', body);
  await note(`POST of ${POSTED.files} files`, host);
  await host.client.json('DELETE', `/programs/${posted}`);

  const gigabytes = bench.sizes.gigabytes ?? GIGABYTES;
  const names: string[] = [];
  for (let left = gigabytes * 1e9; left > 0; left -= CONTEXT_BYTES) {
    const folder = `large-${names.length}`;
    fillContext(
      join(registry, 'sources', folder),
      dockerfileOf(bench, folder),
      Math.min(left, CONTEXT_BYTES),
    );
    names.push(`${bench.name}-${folder}`);
  }
  for (const [index, name] of names.entries())
    await writeManifest(registry, name, `{userId: bench, build: {context: sources/large-${index}}}`);
  await untilBuilt(host, names, bench.say);
  await note(`${gigabytes} GB of sources hashed and built from`, host);
  for (const name of names) await host.client.json('DELETE', `/programs/${name}`);
};

/** In files with holes: the disk is spared, and all that reads it has as much to do. */
function fillContext(folder: string, dockerfile: string, bytes: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  for (let left = bytes, number = 0; left > 0; left -= FILE_BYTES, number++) {
    const path = join(folder, `file-${number}`);
    writeFileSync(path, '');
    truncateSync(path, Math.min(left, FILE_BYTES));
  }
}

async function untilBuilt(host: BenchHost, names: readonly string[], say: Say): Promise<void> {
  let programs: ProgramAnswer[] = [];
  const isOver = ({ state }: ProgramAnswer) => state === 'Ready' || state === 'Error';
  await until(
    'the large contexts are built from',
    async () => {
      ({ programs } = await host.client.json<{ programs: ProgramAnswer[] }>('GET', '/programs'));
      programs = programs.filter(({ program_id: id }) => names.includes(id));
      return programs.length === names.length && programs.every(isOver);
    },
    () => `; they are ${programs.map(({ state }) => state).join(', ')}`,
    { everyMs: 200, limitMs: BUILT_MS_MAX },
  );
  for (const { program_id: id, state, error_msg: why } of programs)
    if (state === 'Error') say(`stalls: ${id} was not built: ${why}`);
}
