import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PUBLISH_PORT_MAX, PUBLISH_PORT_MIN } from '../../../schemas/program.ts';
import type { Bench, Measurement } from '../bench.ts';
import { until } from '../poll.ts';
import type { Row } from '../stats.ts';
import { stoppedNames } from '../stopped.ts';
import { makeRepository, type Repository } from './repository.ts';
import { openWatch, type Watch } from './watch.ts';

const HOST_PORTS = `${PUBLISH_PORT_MIN}-${PUBLISH_PORT_MAX}`;
const MANIFESTS = PUBLISH_PORT_MAX - PUBLISH_PORT_MIN + 1;
/** Of those, how many a commit touches. */
const TOUCHED_PART = 5_000 / MANIFESTS;
/** Others, by the commit that a branch is put on top of. */
const UPSTREAM_PART = 500 / MANIFESTS;
const MADE_MS_MAX = 30 * 60_000;
const SETTLED_MS_MAX = 20 * 60_000;
/** What comes late is seen as well: absences are believed after a while, and a look at all files is once a minute. */
const AFTERWARDS_MS = 70_000;

/** Where git moves: in the registry itself, or in a remote that the host follows. */
type Way = 'work tree' | 'remote';
const WAYS: readonly Way[] = ['work tree', 'remote'];

/**
 * 10,999 stopped programs (`--manifests`) under git: a commit that touches 5,000 of them, its revert, and the branch with
 * both put on top of another's commit. How long until all is in the statuses, and what was wrong between.
 */
export const fromGit: Measurement = {
  name: 'from-git',
  onlyByName: true,
  async measure(bench) {
    const rows: Row[] = [];
    for (const way of WAYS) rows.push(...(await measureWay(bench, way)));
    return rows;
  },
};

interface Stage {
  way: Way;
  watch: Watch;
  /** Where commits are made. */
  repository: Repository;
  touched: readonly string[];
  upstream: readonly string[];
}

async function measureWay(bench: Bench, way: Way): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hersh-bench-git-'));
  const names = stoppedNames(Math.min(MANIFESTS, bench.sizes.manifests ?? MANIFESTS));
  const part = (of: number) => Math.max(1, Math.round(names.length * of));
  const touched = names.slice(0, part(TOUCHED_PART));
  const upstream = names.slice(-part(UPSTREAM_PART));
  const registry = join(folder, 'registry');
  try {
    mkdirSync(registry);
    const repository = await makeRepository(way === 'remote' ? join(folder, 'work') : registry, names);
    const flags = way === 'remote' ? await remoteFlags(join(folder, 'origin.git'), repository) : {};
    const instance = `${bench.name}-${way === 'remote' ? 'remote' : 'tree'}`;
    const host = await bench.startHost({ instance, portRange: HOST_PORTS, registry, flags });
    try {
      const statuses = join(registry, 'status');
      const isWritten = async () =>
        readdirSync(statuses).filter((file) => file.endsWith('.yaml') && !file.startsWith('.')).length ===
        names.length;
      const patience = { everyMs: 200, limitMs: MADE_MS_MAX };
      await until('all statuses are written', isWritten, undefined, patience);
      const watch = await openWatch(host.client.url);
      bench.say(`from-git: ${names.length} programs, git in the ${way}`);
      const rows = await acts(bench, { way, watch, repository, touched, upstream });
      watch.close();
      return rows;
    } finally {
      await host.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A bare repository that all commits go to, and what has the host follow it. */
async function remoteFlags(origin: string, repository: Repository): Promise<Record<string, string>> {
  await repository.git('clone', '--quiet', '--bare', repository.folder, origin);
  await repository.git('remote', 'add', 'origin', origin);
  return { 'git-remote': origin, 'git-branch': 'main', 'git-interval': '1s' };
}

async function acts(bench: Bench, stage: Stage): Promise<Row[]> {
  const { repository, touched, upstream, way, watch } = stage;
  const { git } = repository;
  const publish = () => (way === 'remote' ? git('push', '--quiet', 'origin', 'main') : Promise.resolve());
  const rows: Row[] = [];
  const act = async (what: string, users: Users, run: () => Promise<void>): Promise<void> => {
    rows.push(...(await settle(bench, stage, what, users, run)));
  };
  await repository.commitAside('second', touched, 'second');
  await act(`a commit of ${touched.length} files`, usersOf(touched, 'second'), async () => {
    await git('merge', '--quiet', '--ff-only', 'second');
    await publish();
  });
  await act('its revert', usersOf(touched, 'first'), async () => {
    await git('revert', '--no-edit', 'HEAD');
    await publish();
  });
  await repository.commitAside('upstream', upstream, 'upstream');
  await repository.commitAside('third', touched, 'third');
  await git('merge', '--quiet', '--ff-only', 'third');
  // In the work tree itself the host sees that one come; in a remote there is nothing of it yet.
  if (way === 'work tree') await untilUsers(watch, usersOf(touched, 'third'));
  const rebased = new Map([...usersOf(touched, 'third'), ...usersOf(upstream, 'upstream')]);
  await act(`a branch with ${touched.length} files rebased`, rebased, async () => {
    await git('rebase', '--quiet', 'upstream');
    await publish();
  });
  return rows;
}

type Users = ReadonlyMap<string, string>;
const usersOf = (names: readonly string[], user: string): Users => new Map(names.map((name) => [name, user]));

/** What is done, how long until all programs are whose they are to be, and what was wrong until a while afterwards. */
async function settle(
  bench: Bench,
  { watch, way }: Stage,
  what: string,
  users: Users,
  run: () => Promise<void>,
): Promise<Row[]> {
  watch.wrong();
  const allowed = [...users].map(([name, user]) => {
    // A rebase goes by way of what is below both.
    const before = watch.shown.get(name)?.user_id ?? '';
    return [name, new Set(['first', before, user])] as const;
  });
  watch.expect(new Map(allowed));
  const from = performance.now();
  await run();
  const done = performance.now();
  await untilUsers(watch, users);
  const settled = performance.now();
  bench.say(`from-git: ${what}, git in the ${way}: settled after ${Math.round(settled - done)} ms`);
  await sleep(AFTERWARDS_MS);
  const wrong = watch.wrong();
  for (const one of wrong.slice(0, 10)) bench.say(`from-git: ${what}: ${one}`);
  const row = { bare: [], against: '', limit: null } as const;
  const where = `git in the ${way}: ${what}`;
  return [
    { ...row, name: `${where}, git itself`, unit: 'ms', ours: [done - from] },
    { ...row, name: `${where}, from its end until settled`, unit: 'ms', ours: [settled - done] },
    {
      ...{ ...row, name: `${where}: what was wrong between`, unit: 'failed', ours: [wrong.length] },
      limit: { kind: 'each at most', value: 0 },
    },
  ];
}

async function untilUsers(watch: Watch, users: Users): Promise<void> {
  const left = () => [...users].filter(([name, user]) => watch.shown.get(name)?.user_id !== user);
  await until(
    'all programs are as git has them',
    async () => left().length === 0,
    () => `; ${left().length} are not: ${left()[0]}`,
    { everyMs: 50, limitMs: SETTLED_MS_MAX },
  );
}
