import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TEMP_PREFIX } from '../../registry/files/atomic-write.ts';
import { disk } from './mortal-files.ts';
import { manifestOf, randomDockerfile, randomSpec, spoil } from './random-manifest.ts';
import { NAMES, type SimStage } from './sim-stage.ts';
import type { SimStep } from './sim-step.ts';

/** What people, git and disks do to the files of the registry, whether a host runs or not. */
export const FILE_STEPS: SimStep[] = [
  { weight: 6, act: writeValid },
  { weight: 2, act: beginManifest },
  { weight: 4, act: endManifest },
  { weight: 3, act: spoilManifest },
  { weight: 2, act: mend },
  { weight: 3, act: removeManifest },
  { weight: 3, act: bringBack },
  { weight: 0.7, act: clash },
  { weight: 0.5, act: removeClash },
  { weight: 1, act: takeProgramsAway },
  { weight: 0.7, act: emptyPrograms },
  { weight: 3, act: putProgramsBack },
  { weight: 6, act: editSource },
  { weight: 1, act: removeSource },
  { weight: 1, act: fillDisk },
  { weight: 3, act: freeDisk },
  { weight: 0.7, act: damageLedger },
];

const { appendFile, mkdir, readdir, readFile, rename, rm, utimes, writeFile } = disk;

/** The beginning of an event. */
const TORN_LINE = '{"time":"20';

const fileOf = ({ root }: SimStage, name: string) => join(root, 'programs', `${name}.yaml`);
const awayOf = ({ root }: SimStage) => join(root, 'data', 'programs-away');
const statusOf = ({ root }: SimStage) => join(root, 'status');

/**
 * Writes as an editor does, in place. No two writes bear the same time: the simulated clock can stand still
 * between them, which no disk's does.
 */
async function write(stage: SimStage, path: string, text: string): Promise<void> {
  stage.version += 1;
  const file = join(stage.root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  await utimes(file, 1_000_000_000 + stage.version, 1_000_000_000 + stage.version);
  stage.hint(path);
}

export function writeSource(stage: SimStage, name: string, dockerfile: string): Promise<void> {
  return write(stage, `sources/${name}/Dockerfile`, dockerfile);
}

async function manifests(stage: SimStage): Promise<string[]> {
  const files = await readdir(join(stage.root, 'programs')).catch(() => []);
  return files.flatMap((file) => /^(\w+)\.yaml$/.exec(file)?.[1] ?? []).sort();
}

async function anyManifest(stage: SimStage): Promise<{ name: string; text: string } | undefined> {
  const name = stage.random.any(await manifests(stage));
  return name === undefined ? undefined : { name, text: await readFile(fileOf(stage, name), 'utf8') };
}

async function writeValid(stage: SimStage): Promise<string> {
  if (existsSync(awayOf(stage))) return '';
  const name = stage.random.pick(NAMES);
  if (!existsSync(join(stage.root, 'sources', name)))
    await writeSource(stage, name, randomDockerfile(stage.random, stage.version));
  const text = manifestOf(name, randomSpec(stage.random, name, stage.version));
  await write(stage, `programs/${name}.yaml`, text);
  return `write ${name}.yaml ${text.slice(text.indexOf('spec:')).replaceAll(/\s+/g, ' ').trim()}`;
}

/** As one that is copied over a slow line, or saved by an editor that is killed. */
async function beginManifest(stage: SimStage): Promise<string> {
  if (existsSync(awayOf(stage))) return '';
  const name = stage.random.pick(NAMES);
  const text = manifestOf(name, randomSpec(stage.random, name, stage.version));
  stage.begun.set(name, text);
  const half = text.slice(0, stage.random.below(text.length));
  await write(stage, `programs/${name}.yaml`, half);
  return `write ${name}.yaml up to ${JSON.stringify(half.slice(-30))}`;
}

export async function endManifest(stage: SimStage): Promise<string> {
  const [name, text] = stage.random.any([...stage.begun]) ?? [];
  if (name === undefined || text === undefined || existsSync(awayOf(stage))) return '';
  stage.begun.delete(name);
  const is = await readFile(fileOf(stage, name), 'utf8').catch(() => undefined);
  // Somebody else has written it, or removed it, meanwhile.
  if (is === undefined || !text.startsWith(is)) return '';
  await write(stage, `programs/${name}.yaml`, text);
  return `write the rest of ${name}.yaml ${text.slice(text.indexOf('spec:')).replaceAll(/\s+/g, ' ').trim()}`;
}

async function spoilManifest(stage: SimStage): Promise<string> {
  const found = await anyManifest(stage);
  if (found === undefined) return '';
  stage.attic.set(found.name, found.text);
  const bad = spoil(stage.random, found.name, found.text);
  await write(stage, `programs/${found.name}.yaml`, bad);
  return `write ${found.name}.yaml badly: ${JSON.stringify(bad.slice(-40))}`;
}

async function mend(stage: SimStage): Promise<string> {
  const found = await anyManifest(stage);
  const text = found && stage.attic.get(found.name);
  if (found === undefined || text === undefined) return '';
  await write(stage, `programs/${found.name}.yaml`, text);
  return `mend ${found.name}.yaml`;
}

async function removeManifest(stage: SimStage): Promise<string> {
  const found = await anyManifest(stage);
  if (found === undefined) return '';
  stage.attic.set(found.name, found.text);
  await rm(fileOf(stage, found.name));
  stage.hint(`programs/${found.name}.yaml`);
  return `rm ${found.name}.yaml`;
}

async function bringBack(stage: SimStage): Promise<string> {
  const [name, text] = stage.random.any([...stage.attic]) ?? [];
  if (name === undefined || text === undefined || existsSync(awayOf(stage))) return '';
  if (existsSync(fileOf(stage, name))) return '';
  await write(stage, `programs/${name}.yaml`, text);
  return `bring ${name}.yaml back`;
}

async function clash(stage: SimStage): Promise<string> {
  if (existsSync(awayOf(stage))) return '';
  const name = stage.random.pick(NAMES).toUpperCase();
  const spec = randomSpec(stage.random, name, stage.version);
  await write(stage, `programs/${name}.yaml`, manifestOf(name, spec));
  return `write ${name}.yaml`;
}

async function removeClash(stage: SimStage): Promise<string> {
  const name = stage.random.any((await manifests(stage)).filter((one) => one.startsWith('P')));
  if (name === undefined) return '';
  await rm(fileOf(stage, name));
  stage.hint(`programs/${name}.yaml`);
  return `rm ${name}.yaml`;
}

/** As an unmounted disk, or a folder moved by mistake. */
async function takeProgramsAway(stage: SimStage): Promise<string> {
  if (existsSync(awayOf(stage)) || (await manifests(stage)).length === 0) return '';
  await rename(join(stage.root, 'programs'), awayOf(stage));
  stage.hint('programs');
  return 'take programs/ away';
}

async function emptyPrograms(stage: SimStage): Promise<string> {
  const names = await manifests(stage);
  if (names.length < 2) return '';
  for (const name of names) {
    stage.attic.set(name, await readFile(fileOf(stage, name), 'utf8'));
    await rm(fileOf(stage, name));
  }
  stage.hint('programs');
  return 'rm programs/*';
}

export async function putProgramsBack(stage: SimStage): Promise<string> {
  if (!existsSync(awayOf(stage))) return '';
  // A host that started meanwhile may have made an empty one.
  await rm(join(stage.root, 'programs'), { recursive: true, force: true });
  await rename(awayOf(stage), join(stage.root, 'programs'));
  stage.hint('programs');
  return 'put programs/ back';
}

async function editSource(stage: SimStage): Promise<string> {
  const name = stage.random.pick(NAMES);
  stage.version += 1;
  const dockerfile = randomDockerfile(stage.random, stage.version);
  await writeSource(stage, name, dockerfile);
  return `edit the sources of ${name}: ${JSON.stringify(dockerfile)}`;
}

async function removeSource(stage: SimStage): Promise<string> {
  const name = stage.random.any((await readdir(join(stage.root, 'sources')).catch(() => [])).sort());
  if (name === undefined) return '';
  await rm(join(stage.root, 'sources', name), { recursive: true });
  stage.hint(`sources/${name}`);
  return `rm -r sources/${name}`;
}

/** From now on some of the registry has no room for more, as where folders lie on disks of their own. */
function fillDisk(stage: SimStage): string {
  const { host, full, random } = stage;
  if (host === undefined || full.size > 0) return '';
  const folders = random.pick([
    ['status'],
    ['data'],
    ['status', 'data'],
    ['programs', 'sources', 'status', 'data'],
  ]);
  for (const folder of folders) full.add(folder);
  if (full.has('data')) stage.dataWasFull = true;
  return `no room in ${folders.join(', ')} any more`;
}

export function freeDisk(stage: SimStage): string {
  if (stage.full.size === 0) return '';
  stage.full.clear();
  stage.freedMs = stage.clock.monotonic();
  return 'there is room again';
}

/** What a host that is killed in the middle of a write leaves. */
export async function leaveHalf(stage: SimStage): Promise<string> {
  const name = stage.random.pick(NAMES);
  if (stage.random.chance(0.5)) {
    await writeFile(join(statusOf(stage), `${TEMP_PREFIX}0000-${name}.yaml`), 'apiVersion: hersh');
    return `half a status of ${name}`;
  }
  const events = join(stage.root, 'data', 'events', `${name}.ndjson`);
  // One that a full disk has torn is ended before the next begins.
  const isTorn = /[^\n]$/.test(await readFile(events, 'utf8').catch(() => ''));
  await appendFile(events, `${isTorn ? '\n' : ''}${TORN_LINE}`);
  return `half an event of ${name}`;
}

async function damageLedger(stage: SimStage): Promise<string> {
  if (stage.host !== undefined) return '';
  const file = stage.random.any(
    (await readdir(statusOf(stage))).filter((one) => one.endsWith('.yaml')).sort(),
  );
  if (file === undefined) return '';
  stage.damaged.add(file.slice(0, -'.yaml'.length));
  stage.witness.forget(file.slice(0, -'.yaml'.length));
  const path = join(statusOf(stage), file);
  if (stage.random.chance(0.5)) await rm(path);
  else await writeFile(path, (await readFile(path, 'utf8')).slice(0, 50));
  return `lose the ledger ${file}`;
}
