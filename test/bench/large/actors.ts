import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from 'undici';
import { crashAndHeal } from '../healing.ts';
import type { BenchHost } from '../host-process.ts';
import { until } from '../poll.ts';
import { manifest, type ProgramAnswer } from '../programs.ts';
import { stoppedText } from '../stopped.ts';
import { ask } from '../traffic.ts';
import { type Sample, spreadMs } from './figures.ts';
import { paced } from './pacing.ts';

const EDIT_EVERY_MS = 100;
const ROLLOUT_EVERY_MS = 5_000;
const CRASH_EVERY_MS = 2_000;
/** After which a crash is healed at once again. */
const CRASH_REST_MS = 620_000;
const PROXIED_EVERY_MS = 5;
const API_EVERY_MS = 50;
const LIST_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** What is done to a host for as long as a run lasts, by the name of its figure. */
export const ACTORS = {
  'edit of a stopped program → status': edits,
  'rollout → another container Ready': rollouts,
  'crash → answers': crashes,
  'proxied GET': proxied,
  'GET /programs/{id}': singles,
  'GET /programs, compressed': lists,
} as const;
export type Actor = keyof typeof ACTORS;

export interface Stage {
  host: BenchHost;
  /** Of programs that run, with the port of each. */
  running: readonly { name: string; port: number }[];
  stopped: readonly string[];
  /** The spec of one that runs, as of that rollout. */
  specOf(round: number): string;
  agent: Agent;
  isOver(): boolean;
  /** Milliseconds since the run began. */
  now(): number;
  /** Programs that are being rolled out, or crash: each one thing at a time. */
  busy: Set<string>;
  /** How often a request was not answered as it should be, by what came instead. */
  failures: Map<string, number>;
  say(text: string): void;
}

/** Notes how long it took, or that it failed. */
async function timed(stage: Stage, samples: Sample[], act: () => Promise<unknown>): Promise<void> {
  const atMs = stage.now();
  try {
    await act();
    samples.push({ atMs, ms: stage.now() - atMs });
  } catch (error) {
    samples.push({ atMs, ms: null });
    stage.say(`large: ${(error as Error).message.split('\n')[0]}`);
  }
}

function edits(stage: Stage, samples: Sample[]): Promise<void> {
  const { registry } = stage.host;
  return paced(EDIT_EVERY_MS, stage.isOver, async (index) => {
    const name = stage.stopped[index % stage.stopped.length];
    if (name === undefined) return;
    // As long as all others: none is the beginning of another.
    const userId = `edit-${String(index).padStart(6, '0')}`;
    const path = join(registry, 'status', `${name}.yaml`);
    await timed(stage, samples, async () => {
      await writeFile(join(registry, 'programs', `${name}.yaml`), stoppedText(name, userId));
      const isThere = async () => (await readFile(path, 'utf8')).includes(userId);
      await until(`${userId} is in the status`, isThere, undefined, { everyMs: LOOK_EVERY_MS });
    });
  });
}

function rollouts(stage: Stage, samples: Sample[]): Promise<void> {
  const { host, running, busy } = stage;
  return paced(ROLLOUT_EVERY_MS, stage.isOver, async (index) => {
    // Half way round from where the crashes begin.
    const { name } = running[(index + (running.length >> 1)) % running.length] ?? {};
    if (name === undefined || busy.has(name)) return;
    busy.add(name);
    await timed(stage, samples, async () => {
      const { container_id: before } = await get(host, name);
      const path = join(host.registry, 'programs', `${name}.yaml`);
      await writeFile(path, manifest(name, stage.specOf(index + 1)));
      const isAnother = async () => {
        const now = await get(host, name);
        return now.state === 'Ready' && now.container_id !== before;
      };
      await until(`${name} is rolled out`, isAnother, undefined, { everyMs: LOOK_EVERY_MS });
    });
    busy.delete(name);
  });
}

function crashes(stage: Stage, samples: Sample[]): Promise<void> {
  const { running, busy } = stage;
  const everyMs = spreadMs(running.length, CRASH_EVERY_MS, CRASH_REST_MS);
  stage.say(`large: a crash every ${(everyMs / 1000).toFixed(1)} s, so that each is healed at once`);
  return paced(everyMs, stage.isOver, async (index) => {
    const { name, port } = running[index % running.length] ?? {};
    if (name === undefined || port === undefined || busy.has(name)) return;
    busy.add(name);
    const atMs = stage.now();
    try {
      samples.push({ atMs, ms: await crashAndHeal(port) });
    } catch (error) {
      samples.push({ atMs, ms: null });
      stage.say(`large: ${(error as Error).message}`);
    }
    busy.delete(name);
  });
}

function proxied(stage: Stage, samples: Sample[]): Promise<void> {
  const { host, running, agent } = stage;
  return paced(PROXIED_EVERY_MS, stage.isOver, async (index) => {
    const { name } = running[index % running.length] ?? {};
    await get2xx(stage, samples, agent, `${host.client.url}/programs/${name}/proxy/watcher/status`);
  });
}

function singles(stage: Stage, samples: Sample[]): Promise<void> {
  const all = [...stage.stopped, ...stage.running.map(({ name }) => name)];
  return paced(API_EVERY_MS, stage.isOver, async (index) => {
    // A prime, so that neighbours in time are none in the list.
    const name = all[(index * 7919) % all.length];
    await get2xx(stage, samples, stage.agent, `${stage.host.client.url}/programs/${name}`);
  });
}

function lists(stage: Stage, samples: Sample[]): Promise<void> {
  const headers = { 'accept-encoding': 'gzip' };
  return paced(LIST_EVERY_MS, stage.isOver, () =>
    timed(stage, samples, async () => {
      const { statusCode, body } = await stage.agent.request({
        ...{ origin: stage.host.client.url, path: '/programs', method: 'GET', headers },
      });
      await body.dump({ limit: Number.POSITIVE_INFINITY });
      if (statusCode !== 200) throw new Error(`the list answered ${statusCode}`);
    }),
  );
}

async function get2xx(stage: Stage, samples: Sample[], agent: Agent, url: string): Promise<void> {
  const atMs = stage.now();
  const { ok, ms, what } = await ask(agent, 'GET', url);
  if (!ok) stage.failures.set(what, (stage.failures.get(what) ?? 0) + 1);
  samples.push({ atMs, ms: ok ? ms : null });
}

const get = (host: BenchHost, name: string) => host.client.json<ProgramAnswer>('GET', `/programs/${name}`);
