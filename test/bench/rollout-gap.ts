import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from '../setup/command.ts';
import type { Bench, Measurement } from './bench.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';
import { type ProgramAnswer, untilSeen, untilState, writeManifest } from './programs.ts';
import type { Row } from './stats.ts';
import { ask, clientAgent, evenly, gapMs, type Told } from './traffic.ts';

const HOST_PORTS = '29440-29459';
const NAME = 'serving';
/** 200 a second over ten seconds, and longer where the machine takes longer. */
const GETS_MIN = 2_000;
const GET_EVERY_MS = 5;
/** Over the same time; each makes a file, by which the program says that it has read it. */
const POST_EVERY_MS = 20;
/** Before the first disturbance and behind each. */
const CALM_MS = 1_000;

/** What clients see through the proxy, and beside it, while a program is rolled out, restarted and healed. */
export const rolloutGap: Measurement = {
  name: 'rollout-gap',
  async measure(bench) {
    const host = await bench.startHost({ instance: `${bench.name}-gap`, portRange: HOST_PORTS });
    await writeManifest(host.registry, NAME, specOf(bench, 0));
    await untilSeen(host, NAME);
    await untilState(host, NAME, 'Ready');
    const rounds: Round[] = [];
    for (let number = 1; number <= bench.rounds; number++) {
      const round = await measureRound(bench, host, number);
      rounds.push(round);
      bench.say(`rollout-gap: round ${number} of ${bench.rounds}${failuresOf(round)}`);
    }
    return rowsOf(rounds);
  },
};

/** Another spec each round. The test server has a thread for each connection, and says 503 where it may not. */
function specOf({ image }: Bench, round: number): string {
  const resources = '{memory: 256Mi, pids: 1024}';
  return `{userId: bench, image: "${image.tag}", env: {ROUND: "${round}"}, resources: ${resources}}`;
}

interface Round {
  proxied: Told[];
  direct: Told[];
  posts: Told[];
  /** Of the POSTs that failed, those that the program had read. */
  read: number;
}

async function measureRound(bench: Bench, host: BenchHost, number: number): Promise<Round> {
  const { proxy_url: url } = await untilState(host, NAME, 'Ready');
  const port = new URL(url).port;
  const proxy = `${host.client.url}/programs/${NAME}/proxy`;
  const agent = clientAgent();
  const ids: string[] = [];
  let isOver = false;
  const gets = (target: string, once: boolean) =>
    evenly(
      GET_EVERY_MS,
      (sent) => isOver && sent >= GETS_MIN,
      () => ask(agent, 'GET', `${target}/watcher/status`, once),
    );
  const [proxied, direct, posts] = await Promise.all([
    gets(proxy, false),
    // A connection each: one that docker-proxy hung up on is of no more use.
    gets(`http://127.0.0.1:${port}`, true),
    evenly(
      POST_EVERY_MS,
      (sent) => isOver && sent * POST_EVERY_MS >= GETS_MIN * GET_EVERY_MS,
      (index) => {
        ids[index] = `/state/${randomUUID()}`;
        return ask(agent, 'POST', `${proxy}/write?path=${ids[index]}`);
      },
    ),
    disturb(bench, host, number, port).finally(() => {
      isOver = true;
    }),
  ]);
  let read = 0;
  for (const [index, { ok }] of posts.entries()) {
    if (!ok && (await ask(agent, 'GET', `${proxy}/read?path=${ids[index]}`)).text === 'x') read++;
  }
  await agent.close();
  return { proxied, direct, posts, read };
}

/** A rollout, a restart and a crash, each once the program is Ready again. */
async function disturb(bench: Bench, host: BenchHost, number: number, port: string): Promise<void> {
  await sleep(CALM_MS);
  let { container_id: before } = await untilState(host, NAME, 'Ready');
  const isAnother = async (): Promise<boolean> => {
    const answer = await host.client.json<ProgramAnswer>('GET', `/programs/${NAME}`);
    return answer.state === 'Ready' && answer.container_id !== before;
  };
  await writeManifest(host.registry, NAME, specOf(bench, number));
  await until('the rollout is done', isAnother);
  await sleep(CALM_MS);
  ({ container_id: before } = await untilState(host, NAME, 'Ready'));
  await host.client.json('POST', `/programs/${NAME}/restart`);
  await until('the restart is done', isAnother);
  await sleep(CALM_MS);
  const agent = clientAgent();
  const restarts = async () =>
    (await host.client.json<ProgramAnswer>('GET', `/programs/${NAME}`)).restart_count;
  const crashes = await restarts();
  const crash = await ask(agent, 'POST', `http://127.0.0.1:${port}/crash`, true);
  await agent.close();
  const stand = () =>
    `; it was asked for: ${crash.what} ${crash.text}. The host's log:\n${lastLines(host.log(), 10)}`;
  await until('the crash is noticed', async () => (await restarts()) > crashes, stand);
  await untilState(host, NAME, 'Ready');
  await sleep(CALM_MS);
}

function failuresOf({ proxied, posts }: Round): string {
  const failed = [...proxied, ...posts]
    .filter(({ ok }) => !ok)
    .map(({ what, text }) => `${what} ${messageIn(text)}`.trim());
  const kinds = [...new Set(failed)].map(
    (what) => `${failed.filter((one) => one === what).length} × ${what}`,
  );
  const sent = `: ${proxied.length} GETs, ${posts.length} POSTs`;
  return kinds.length === 0 ? sent : `${sent}; failed ${kinds.join(', ')}`;
}

/** What the host says of a failure. */
function messageIn(text: string): string {
  return /"message":"([^"]{0,120})/.exec(text)?.[1] ?? '';
}

const failed = (all: readonly Told[]): number => all.filter(({ ok }) => !ok).length;

function rowsOf(rounds: readonly Round[]): Row[] {
  const count = (name: string, of: (round: Round) => number, limited: boolean): Row => ({
    name,
    unit: 'failed',
    ours: rounds.map(of),
    bare: [],
    against: '',
    limit: limited ? { kind: 'each at most', value: 0 } : null,
  });
  return [
    count(`proxied GETs of ${GETS_MIN} or more`, ({ proxied }) => failed(proxied), true),
    count('proxied POSTs, not read by the program', ({ posts, read }) => failed(posts) - read, true),
    count('proxied POSTs, read and not answered', ({ read }) => read, false),
    count('GETs on its own port', ({ direct }) => failed(direct), false),
    {
      name: 'longest time without an answer',
      unit: 'ms',
      ours: rounds.map(({ proxied }) => gapMs(proxied)),
      bare: rounds.map(({ direct }) => gapMs(direct)),
      against: "the program's own port",
      limit: null,
    },
    {
      name: 'longest wait of a proxied GET',
      unit: 'ms',
      ours: rounds.map(({ proxied }) => Math.max(...proxied.map(({ ms }) => ms))),
      bare: [],
      against: '',
      limit: null,
    },
  ];
}
