import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Measurement } from './bench.ts';
import { type EngineEvents, openEngineEvents } from './engine-events.ts';
import type { BenchHost } from './host-process.ts';
import { manifest, untilSeen, untilState, writeManifest } from './programs.ts';
import { beyond, inTurn, type Row } from './stats.ts';

const HOST_PORTS = '27250-27269';
/** What a renamed file may wait for: a file system's event, and a read. */
const RENAMED_MS_MAX = 20;
/** One written at once may wait for as long as it takes to see that it grows no more. */
const IN_PLACE_MS_MAX = 100;

/**
 * How long an edit by hand waits until it is believed: from the edit that has a stopped program run until the engine's
 * `start`, beyond the same by a call of the API, which waits for nothing.
 */
export const settle: Measurement = {
  name: 'settle',
  async measure(bench) {
    const host = await bench.startHost({ instance: `${bench.name}-settle`, portRange: HOST_PORTS });
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    const name = `${bench.name}-edited`;
    await writeManifest(host.registry, name, specOf(bench, 'Running'));
    await untilSeen(host, name);
    await untilState(host, name, 'Ready');
    const path = join(host.registry, 'programs', `${name}.yaml`);
    const text = manifest(name, specOf(bench, 'Running'));
    const by = (edit: () => Promise<unknown>) => () => timed(host, events, name, edit);
    const contestants = {
      call: by(() => host.client.json('POST', `/programs/${name}/start`)),
      async renamed() {
        const aside = join(host.registry, 'programs', `.${name}.tmp`);
        await writeFile(aside, text);
        return by(() => rename(aside, path))();
      },
      inPlace: by(() => writeFile(path, text)),
    };
    const done = (round: number) => bench.say(`settle: round ${round + 1} of ${bench.rounds}`);
    const { call, renamed, inPlace } = await inTurn(bench.rounds, contestants, done);
    return [
      row('an edit renamed into place', beyond(renamed, call), RENAMED_MS_MAX),
      row('an edit written in place at once', beyond(inPlace, call), IN_PLACE_MS_MAX),
    ];
  },
};

function row(what: string, ours: number[], max: number): Row {
  return {
    ...{ name: `${what} → started, beyond the same by POST`, unit: 'ms', ours, bare: [], against: '' },
    limit: { kind: 'at most', value: max },
  };
}

function specOf({ image }: Bench, desiredState: string): string {
  return `{userId: bench, image: "${image.tag}", desiredState: ${desiredState}}`;
}

/** Stopped by the API before, so that the host knows it by then. */
async function timed(
  host: BenchHost,
  events: EngineEvents,
  name: string,
  edit: () => Promise<unknown>,
): Promise<number> {
  await host.client.json('POST', `/programs/${name}/stop`);
  await untilState(host, name, 'Stopped');
  const started = events.next(name, 'start');
  const from = performance.now();
  const edited = edit();
  const at = await started;
  await edited;
  await untilState(host, name, 'Ready');
  return at - from;
}
