import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, dockerfileOf, type Measurement } from './bench.ts';
import { type EngineEvents, openEngineEvents } from './engine-events.ts';
import type { BenchHost } from './host-process.ts';
import { deploy, removeProgram, untilState } from './programs.ts';

const HOST_PORTS = '29400-29419';

/** Three witnesses of a build, none of which takes the host's word for it. */
interface Traces {
  /** Every build tags its image, one that finds all its layers there too. */
  tags: number;
  /** Files of data/builds with their sizes and times. */
  logs: string;
  /** Lines of the host's log. */
  told: number;
}

/** Starting what was built before, from sources that nobody touched, runs no build. */
export const buildReuse: Measurement = {
  name: 'build-reuse',
  async measure(bench) {
    const host = await bench.startHost({ instance: `${bench.name}-reuse`, portRange: HOST_PORTS });
    const events = await openEngineEvents(bench.docker);
    bench.onClose(() => events.close());
    const dockerfile = dockerfileOf(bench, 'reuse');
    const { build_id: buildId } = await deploy(host, dockerfile);
    const look = () => tracesOf(host, events, buildId);

    // The counter-test: were these witnesses blind to a build, the zero below would mean nothing.
    const nothing = await look();
    await startAndEnd(bench, host, events, dockerfile);
    const built = await look();
    const blind = witnessesOf(nothing, built).filter(([, saw]) => !saw);
    if (blind.length > 0) throw new Error(`a first build went unnoticed by: ${blind.join('; ')}`);

    const builds: number[] = [];
    let before = built;
    for (let round = 0; round < bench.rounds; round++) {
      await startAndEnd(bench, host, events, dockerfile);
      const after = await look();
      builds.push(witnessesOf(before, after).some(([, saw]) => saw) ? 1 : 0);
      before = after;
    }
    const limit = { kind: 'at most', value: 0 } as const;
    const sum = builds.reduce((total, count) => total + count, 0);
    const name = `builds in ${bench.rounds * 2} starts with nothing changed`;
    // One figure, not a median: a single build is one too many.
    return [{ name, unit: 'builds', ours: [sum], bare: [], against: '', limit }];
  },
};

/** A first start of a new program, and a start after a stop. */
async function startAndEnd(
  bench: Bench,
  host: BenchHost,
  events: EngineEvents,
  dockerfile: string,
): Promise<void> {
  const { program_id: name } = await deploy(host, dockerfile);
  await host.client.json('POST', `/programs/${name}/start`);
  await untilState(host, name, 'Ready');
  await host.client.json('POST', `/programs/${name}/stop`);
  await untilState(host, name, 'Stopped');
  await host.client.json('POST', `/programs/${name}/start`);
  await untilState(host, name, 'Ready');
  await removeProgram(host, events, name);
  bench.say(`build-reuse: ${name} started twice`);
}

async function tracesOf(host: BenchHost, events: EngineEvents, buildId: string): Promise<Traces> {
  const folder = join(host.registry, 'data', 'builds');
  const files = await readdir(folder).catch(() => []);
  const logs = await Promise.all(
    files.sort().map(async (file) => {
      const { size, mtimeMs } = await stat(join(folder, file));
      return `${file} ${size} ${mtimeMs}`;
    }),
  );
  return {
    tags: events.tagged(`hersh/${buildId}:latest`),
    logs: logs.join('\n'),
    told: host.log().split('"build succeeded"').length - 1,
  };
}

function witnessesOf(before: Traces, after: Traces): [witness: string, saw: boolean][] {
  return [
    ["the engine's tag events", after.tags > before.tags],
    ['the build log', after.logs !== before.logs],
    ["the host's log", after.told > before.told],
  ];
}
