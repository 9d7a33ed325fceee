import { buildIdOf } from '../../schemas/build-id.ts';
import { attemptImage, type ProgramMemory } from '../../schemas/memory.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { STATE_FROM } from '../../schemas/trashed-volume.ts';
import type { References } from './collectable.ts';

/** What a program's kept revisions need. */
export interface Kept {
  builds: ReadonlySet<string>;
  /** Ids. */
  images: ReadonlySet<string>;
  contexts: ReadonlySet<string>;
}

/** A manifest as it stands. */
export interface Mention {
  name: string;
  text: string;
  userId: string;
  context: string | undefined;
}

export interface ReferenceSources {
  manifests: readonly Mention[];
  statuses: readonly ProgramStatus[];
  /** Further names of which it is not known what they need: damaged ledgers, manifests that are missing. */
  unsure: readonly string[];
  /** Whole hashes of what is wanted just now, is being built, or has a container. */
  hashes: Iterable<string>;
  /** Volumes that are being filled, and are nobody's yet. */
  filling: Iterable<string>;
  /** Names that containers carry. */
  withContainers: Iterable<string>;
  /** By name, those of deleted programs among them. */
  revisions: ReadonlyMap<string, Kept>;
}

const SOURCES = /sources\/build-[0-9a-f]{12}(?:-[0-9a-f]{8})?(?![0-9a-f-])/g;
const IMAGE = /(?<![0-9a-z])sha256:[0-9a-f]{64}(?![0-9a-f])/g;
const HASH = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;

/** Pure. Rather too much than too little: whatever so much as names a thing keeps it. */
export function referencesOf(sources: ReferenceSources): References {
  const { manifests, statuses, unsure, hashes, withContainers, revisions } = sources;
  const programs = new Map(unsure.map((name) => [name, '']));
  for (const { name, userId } of statuses) programs.set(name, userId);
  for (const { name, userId } of manifests) programs.set(name, userId || (programs.get(name) ?? ''));
  const present = new Set(manifests.map(({ name }) => name));
  const builds = new Set([...hashes].filter((hash) => hash !== '').map(buildIdOf));
  const pastBuilds = new Set<string>();
  const contexts = new Set<string>();
  const images = new Set<string>();
  for (const { text, context } of manifests) {
    for (const id of imagesIn(text)) images.add(id);
    for (const folder of foldersIn(text)) contexts.add(folder);
    if (context !== undefined) contexts.add(context);
  }
  for (const { buildId, imageId, memory } of statuses) {
    const { program, rollout, failedImage } = memory;
    for (const id of [...namedImages(memory), imageId]) if (id !== '') images.add(id);
    const failed = failedImage?.key ?? '';
    for (const id of [buildId, program.lastBuild, rollout.good?.buildId, failed && buildIdOf(failed)])
      if (id !== undefined && id !== '') builds.add(id);
    for (const spec of [program.inForce?.spec, rollout.good?.spec])
      if (spec?.build != null) contexts.add(spec.build.context);
  }
  for (const [name, kept] of revisions) {
    for (const id of kept.builds) (programs.has(name) ? builds : pastBuilds).add(id);
    if (!programs.has(name)) continue;
    for (const folder of kept.contexts) contexts.add(folder);
    for (const id of kept.images) images.add(id);
  }
  const supplied = statuses.filter(({ memory }) => memory.program.volume !== undefined);
  const withVolume = new Set(supplied.map(({ name }) => name));
  return {
    ...{ builds, images, pastBuilds, contexts, programs, withContainers: new Set(withContainers) },
    leaving: new Set([...programs.keys()].filter((name) => !present.has(name))),
    volumes: new Set([...supplied.flatMap(({ memory }) => memory.program.volume ?? []), ...sources.filling]),
    withVolume,
    takers: manifests
      .filter(({ name, text }) => text.includes(STATE_FROM) && !withVolume.has(name))
      .map(textOf),
  };
}

/** Ids of the images whose names a program's spec has, as far as its ledger knows them. */
export function namedImages({ program, rollout }: ProgramMemory): string[] {
  return [program.newest?.image, attemptImage(rollout), rollout.good?.image].flatMap((id) => id ?? []);
}

const textOf = ({ text }: Mention): string => text;

/** What the file of a revision names: read as text, since hundreds of them are looked through. */
export function keptIn(text: string): Kept {
  return {
    builds: new Set([...text.matchAll(HASH)].map(([hash]) => buildIdOf(hash))),
    images: imagesIn(text),
    contexts: foldersIn(text),
  };
}

/** Most texts hold none, and the look for the words alone takes a tenth of that for the whole. */
function imagesIn(text: string): Set<string> {
  if (!text.includes('sha256:')) return new Set();
  return new Set([...text.matchAll(IMAGE)].map(([id]) => id));
}

function foldersIn(text: string): Set<string> {
  if (!text.includes('sources/build-')) return new Set();
  return new Set([...text.matchAll(SOURCES)].map(([folder]) => folder));
}
