import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PUBLISH_PORT_MAX, PUBLISH_PORT_MIN } from '../../schemas/program.ts';
import { until } from './poll.ts';
import type { StallScript } from './stalls.ts';
import { stoppedNames, writeStopped } from './stopped.ts';

const HOST_PORTS = `${PUBLISH_PORT_MIN}-${PUBLISH_PORT_MAX}`;
const EDITS_AT_ONCE = 500;
/** A look at all files, a resync, and what is done every ten minutes for the first time. */
const IDLE_MS = 70_000;
const LIMIT_MS = 10 * 60_000;

/** As many stopped programs as a host can hold: known for the first time, left alone, edited, known again. */
export const stallsAtScale: StallScript = async ({ bench, registry, start, note }) => {
  const most = PUBLISH_PORT_MAX - PUBLISH_PORT_MIN + 1;
  const names = stoppedNames(Math.min(most, bench.sizes.manifests ?? most));
  mkdirSync(join(registry, 'programs'));
  for (const name of names) writeStopped(registry, name, 'bench');
  const host = await start({ portRange: HOST_PORTS });
  const statuses = join(registry, 'status');
  const isWritten = async () =>
    readdirSync(statuses).filter((file) => file.endsWith('.yaml') && !file.startsWith('.')).length >=
    names.length;
  await until('all statuses are written', isWritten, undefined, { everyMs: 200, limitMs: LIMIT_MS });
  await note(`${names.length} stopped programs: cold start`, host);
  await sleep(IDLE_MS);
  await note(`${names.length} stopped programs: idle`, host);
  const edited = names.slice(0, EDITS_AT_ONCE);
  for (const name of edited) writeStopped(registry, name, 'somebody-else');
  for (const name of edited) {
    const path = join(statuses, `${name}.yaml`);
    await until('the edit is in the status', async () =>
      readFileSync(path, 'utf8').includes('somebody-else'),
    );
  }
  await note(`${names.length} stopped programs: ${edited.length} edits at once`, host);
  await host.stop();
  const again = await start({ portRange: HOST_PORTS });
  await note(`${names.length} stopped programs: warm start → ready`, again);
  await sleep(IDLE_MS);
  await note(`${names.length} stopped programs: the minute after a warm start`, again);
};
