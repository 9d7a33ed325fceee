import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYaml } from '../../registry/manifests/manifest.ts';
import { createHost, type Host, manifestText } from '../e2e/host.ts';
import { runCommand } from '../setup/command.ts';
import type { Random } from '../sim/random.ts';
import { openSecondEngine, type SecondEngine } from './second-engine.ts';

/** Everything a run of chaos plays with. */
export interface World {
  random: Random;
  engine: SecondEngine;
  host: Host;
  /** Names of the manifests that are on the disk now. */
  names(): Promise<string[]>;
  /** Text of manifests that were damaged or taken away, as they have to be in the end. */
  damaged: Map<string, string>;
  /** Programs whose `/state` holds a marker, and must hold it for ever. */
  markers: Set<string>;
  /** Containers that somebody started by hand, and when; milliseconds of `performance.now()`. */
  startedByHand: Map<string, number>;
  /** While `programs/` is moved away nobody writes there. */
  away: boolean;
  /** Puts something right after a while, at the latest when the faults stop. */
  later(ms: number, repair: () => Promise<void>): void;
  /** Runs the repairs that are due; all of them where asked. */
  repair(all: boolean): Promise<void>;
  /** What the killed engine forgot, and was ended. */
  forgotten: string[];
  dropForgotten(): Promise<void>;
  /** Gives the exit code: a refusal is an answer like any other here. */
  git(...args: string[]): Promise<number>;
  /** A number that was never used before. */
  next(): number;
  close(): Promise<void>;
}

export type Manifest = { metadata: { name: string }; spec: Record<string, unknown> };

const GIT = ['-c', 'user.name=chaos', '-c', 'user.email=chaos@localhost', '-c', 'commit.gpgsign=false'];

/** A registry of its own with so many programs; every fifth is built from sources. The host is not started. */
export async function openWorld(random: Random, ports: string, programs: number): Promise<World> {
  const engine = await openSecondEngine();
  const host = await createHost(ports, engine.place);
  const repairs: { atMs: number; run: () => Promise<void> }[] = [];
  let count = 0;
  const world: World = {
    ...{
      random,
      engine,
      host,
      damaged: new Map(),
      markers: new Set(),
      startedByHand: new Map(),
      away: false,
      forgotten: [],
    },
    async names() {
      const files = await readdir(host.path('programs')).catch(() => []);
      return files.flatMap((file) => (/^[^.].*\.yaml$/.test(file) ? file.slice(0, -5) : [])).sort();
    },
    later(ms, run) {
      repairs.push({ atMs: performance.now() + ms, run });
    },
    async repair(all) {
      const due = repairs.filter(({ atMs }) => all || atMs <= performance.now());
      for (const one of due) {
        repairs.splice(repairs.indexOf(one), 1);
        await one.run();
      }
    },
    async dropForgotten() {
      // An engine that is away again is looked at later.
      const unknown = (error: Error) => [`what could not be looked at: ${error.message}`];
      world.forgotten.push(...(await engine.dropForgotten().catch(unknown)));
    },
    git: async (...args) =>
      (await runCommand(['timeout', '20', 'git', '-C', host.registry, ...GIT, ...args])).code,
    next: () => ++count,
    async close() {
      await host.close().catch(() => undefined);
      await engine.close();
    },
  };
  for (let n = 0; n < programs; n++) {
    const name = `p${String(n).padStart(2, '0')}`;
    const spec: Record<string, unknown> = { env: { ROUND: '0' } };
    if (n % 5 === 4) spec.build = { context: await writeSources(world, name) };
    await host.writeManifest(name, spec);
  }
  await world.git('init', '-q', '-b', 'main');
  await writeFile(host.path('.gitignore'), 'status/\ndata/\n');
  await world.git('add', '-A');
  await world.git('commit', '-q', '-m', 'the beginning');
  return world;
}

/** Sources whose image says which they are. */
export function writeSources(world: World, name: string): Promise<string> {
  return world.host.writeContext(`of-${name}`, `ENV BUILT=${world.next()}`);
}

export async function readManifest(world: World, name: string): Promise<Manifest | undefined> {
  try {
    return manifestOf(await readFile(world.host.path('programs', `${name}.yaml`), 'utf8'));
  } catch {
    return undefined;
  }
}

/** `undefined` where it is damaged. */
export function manifestOf(text: string): Manifest | undefined {
  try {
    const value = parseYaml(text) as Manifest | null;
    return typeof value?.metadata?.name === 'string' && typeof value.spec?.userId === 'string'
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** The manifest with another environment, so that it needs another container. */
export function changed(world: World, manifest: Manifest): string {
  const env = { ...(manifest.spec.env as object | undefined), ROUND: String(world.next()) };
  return `${JSON.stringify({ ...manifest, spec: { ...manifest.spec, env } })}\n`;
}

export function newManifest(world: World, name: string): string {
  return manifestText(name, { env: { ROUND: String(world.next()) } });
}

/** A manifest is again as it was before it was damaged. One that was deleted since, sources and all, stays deleted. */
export async function putRight(world: World, name: string): Promise<void> {
  const text = world.damaged.get(name);
  if (text === undefined) return;
  const { host } = world;
  const path = host.path('programs', `${name}.yaml`);
  const { context } = (manifestOf(text)?.spec.build ?? {}) as { context?: string };
  const isDeleted = context !== undefined && !existsSync(path) && !existsSync(host.path(context));
  if (!isDeleted) await writeFile(path, text);
  world.damaged.delete(name);
}

/** Moves `programs/` away, and puts back what was in it, whatever has come to stand there meanwhile. */
export async function moveProgramsAway(world: World): Promise<() => Promise<void>> {
  const here = world.host.path('programs');
  const away = world.host.path(`programs-${world.next()}`);
  await rename(here, away);
  world.away = true;
  return async () => {
    world.away = false;
    if (!existsSync(here)) {
      await rename(away, here);
      return;
    }
    await mkdir(here, { recursive: true });
    for (const file of await readdir(away)) await rename(join(away, file), join(here, file));
    await rmdir(away);
  };
}
