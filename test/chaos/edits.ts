import { readFile, rm, writeFile } from 'node:fs/promises';
import { TEST_IMAGE } from '../setup/test-image.ts';
import {
  changed,
  type Manifest,
  manifestOf,
  newManifest,
  putRight,
  readManifest,
  type World,
  writeSources,
} from './world.ts';

/** Something that is done to a host. Gives false where there was nothing to do it to. */
export interface Step {
  kind: string;
  weight: number;
  run(world: World): Promise<boolean>;
}

/** Programs that POST made are at most this many more than there were. */
const POSTED_MAX = 4;

/** A manifest that is whole; nothing where it is damaged or moved away just now. */
async function anyManifest(world: World, desired?: string) {
  if (world.away) return undefined;
  const found: { name: string; manifest: Manifest }[] = [];
  for (const name of await world.names()) {
    const manifest = world.damaged.has(name) ? undefined : await readManifest(world, name);
    const desiredState = manifest?.spec.desiredState ?? 'Running';
    if (manifest !== undefined && desiredState === (desired ?? desiredState)) found.push({ name, manifest });
  }
  return world.random.any(found);
}

async function post(world: World, path: string, desired = 'Running'): Promise<boolean> {
  const found = await anyManifest(world, desired);
  if (found === undefined) return false;
  const { status } = await world.host.call('POST', `/programs/${found.name}/${path}`);
  return status === 200;
}

/** What people, git and clients do all day. */
export const EDITS: readonly Step[] = [
  {
    kind: 'REST put',
    weight: 6,
    async run(world) {
      const found = await anyManifest(world);
      if (found === undefined) return false;
      const path = `/programs/${found.name}/manifest`;
      const { text, headers, status } = await world.host.call('GET', path);
      const manifest = status === 200 ? manifestOf(text) : undefined;
      if (manifest === undefined) return false;
      const with_ = { 'content-type': 'application/yaml', 'if-match': headers.etag ?? '' };
      const answer = await world.host.call('PUT', path, changed(world, manifest), { headers: with_ });
      return answer.status < 300;
    },
  },
  { kind: 'REST stop', weight: 3, run: (world) => post(world, 'stop') },
  { kind: 'REST start', weight: 5, run: (world) => post(world, 'start', 'Stopped') },
  { kind: 'REST restart', weight: 2, run: (world) => post(world, 'restart') },
  {
    kind: 'REST create',
    weight: 2,
    async run(world) {
      const posted = (await world.names()).filter((name) => name.includes('-build-'));
      if (posted.length >= POSTED_MAX || world.away) return false;
      const dockerfile = `FROM ${TEST_IMAGE}\nLABEL run=${world.host.marker}\nENV N=${world.next()}\n`;
      const body = { user_id: 'chaos', dockerfile, src_files: {} };
      const { status, json } = await world.host.call('POST', '/programs', body);
      if (status !== 201) return false;
      await world.host.call('POST', `/programs/${json.program_id}/start`);
      return true;
    },
  },
  {
    kind: 'REST delete',
    weight: 1,
    async run(world) {
      const posted = (await world.names()).filter((name) => name.includes('-build-'));
      const name = world.random.any(posted);
      if (name === undefined || world.away) return false;
      return (await world.host.call('DELETE', `/programs/${name}`)).status === 200;
    },
  },
  {
    kind: 'hand edit',
    weight: 5,
    async run(world) {
      const found = await anyManifest(world);
      if (found === undefined) return false;
      await world.host.writeFile(`programs/${found.name}.yaml`, changed(world, found.manifest));
      return true;
    },
  },
  {
    kind: 'hand removal',
    weight: 1,
    async run(world) {
      const found = await anyManifest(world);
      if (found === undefined) return false;
      const path = world.host.path('programs', `${found.name}.yaml`);
      const text = await readFile(path, 'utf8');
      await rm(path);
      world.damaged.set(found.name, text);
      return true;
    },
  },
  {
    kind: 'hand creation',
    weight: 1,
    async run(world) {
      const names = await world.names();
      const name = `h${world.random.below(2)}`;
      if (world.away || names.includes(name) || world.damaged.has(name)) return false;
      await world.host.writeFile(`programs/${name}.yaml`, newManifest(world, name));
      return true;
    },
  },
  {
    kind: 'source edit',
    weight: 2,
    async run(world) {
      const found = await anyManifest(world);
      const build = found?.manifest.spec.build as { context?: string } | undefined;
      if (found === undefined || build?.context !== `sources/of-${found.name}`) return false;
      await writeSources(world, found.name);
      return true;
    },
  },
  {
    kind: 'git commit',
    weight: 3,
    async run(world) {
      if (world.away) return false;
      await world.git('add', '-A');
      return (await world.git('commit', '-q', '-m', `commit ${world.next()}`)) === 0;
    },
  },
  {
    kind: 'git revert',
    weight: 2,
    async run(world) {
      if (world.away) return false;
      if ((await world.git('revert', '--no-edit', 'HEAD')) === 0) return true;
      await world.git('revert', '--abort');
      return false;
    },
  },
];

/** Makes every manifest whole that was damaged or removed. */
export async function makeWhole(world: World): Promise<void> {
  for (const name of world.damaged.keys()) await putRight(world, name);
  // A commit or revert may have brought damage back that was put right long ago.
  for (const name of await world.names()) {
    if ((await readManifest(world, name))?.metadata?.name === name) continue;
    await writeFile(world.host.path('programs', `${name}.yaml`), newManifest(world, name));
  }
}
