import { createHash } from 'node:crypto';
import { messageOf } from '../schemas/errors.ts';
import type { Program } from '../schemas/program.ts';
import { type HostPolicy, programSchema } from '../schemas/validate.ts';
import { createSharing, type Share } from './files/sharing.ts';
import { createIndexWriter, type IndexedFolder } from './index/index-writer.ts';
import { emptyIndex, type Recalled, readIndex } from './index/read-index.ts';
import type { Recall } from './looks/scan.ts';
import { type ParsedManifest, parseManifest } from './manifests/manifest.ts';
import type { ManifestSet } from './manifests/set.ts';
import { labelOf, type RegistryPaths } from './paths.ts';
import type { StatusStore } from './records/status-store.ts';
import { encodeStatus } from './records/status-text.ts';
import type { RegistryOptions } from './registry.ts';

/** Of what else than that code, the schema and the host's policy the index depends on; counted up by hand. */
const FORMAT = 1;

const NOT_WRITTEN = 'data/index.ndjson can not be written: the next start reads every file';

/** What files came to at the host before, and what keeps it for the next one. */
export interface KeptIndex {
  share: Share;
  /** Of `status/`. */
  recalled: ReadonlyMap<string, Recalled>;
  /** Of `programs/`. */
  recall: Recall;
  /** As `parseManifest`; what is recalled of that very text is not parsed again. */
  parse(name: string, text: string): ParsedManifest;
  /**
   * Keeps what is known from now on. Gives what does so a last time.
   * @param isRead whether every file was looked at: then nothing is recalled any more
   */
  keep(known: { manifests: ManifestSet; status: StatusStore }, isRead: boolean): () => Promise<void>;
}

/** What is kept of a manifest. */
interface KeptManifest {
  text: string;
  program: Program;
}

export async function openKeptIndex(
  paths: RegistryPaths,
  { policy, build, clock, onWarning }: Pick<RegistryOptions, 'policy' | 'build' | 'clock' | 'onWarning'>,
): Promise<KeptIndex> {
  const onError = (error: unknown) => onWarning({ error: messageOf(error) }, NOT_WRITTEN);
  const version = build === undefined ? undefined : versionOf(build, policy);
  const index = version === undefined ? emptyIndex() : await readIndex(paths.index, version);
  const share = createSharing();
  const recalledOf = (name: string) => index.programs.get(name)?.value as KeptManifest | undefined;
  return {
    share,
    recalled: index.status,
    recall(name) {
      const kept = index.programs.get(name);
      return kept && { key: kept.key, text: (kept.value as KeptManifest).text };
    },
    parse(name, text) {
      const kept = recalledOf(name);
      if (kept?.text === text) return { program: kept.program, problems: [], writtenName: name };
      const parsed = parseManifest(text, labelOf(name), name, policy);
      return { ...parsed, program: parsed.program && sharedProgram(parsed.program, share) };
    },
    keep({ manifests, status }, isRead) {
      if (version === undefined) return async () => undefined;
      const folders = { programs: ofManifests(paths, manifests), status: ofStatuses(paths, status) };
      const writer = createIndexWriter({ path: paths.index, version, index, folders, clock, onError });
      if (isRead) for (const files of Object.values(index)) files.clear();
      status.subscribe(writer.touched);
      writer.touched();
      return writer.close;
    },
  };
}

/** Of all by which a text comes to what it does: of another the index is thrown away. */
function versionOf(build: string, policy: HostPolicy): string {
  const of = JSON.stringify([FORMAT, build, programSchema(), policy]);
  return createHash('sha256').update(of).digest('hex');
}

function sharedProgram(program: Program, share: Share): Program {
  const { labels, annotations, rawSpec } = program;
  return { ...program, labels: share(labels), annotations: share(annotations), rawSpec: share(rawSpec) };
}

/** Those that are valid: what is wrong with the others may depend on more than their text. */
function ofManifests({ programs }: RegistryPaths, manifests: ManifestSet): IndexedFolder {
  return {
    path: programs,
    names: manifests.names,
    tokenOf: (name) => manifests.get(name)?.program,
    textOf: (name) => manifests.get(name)?.text ?? '',
    valueOf(name): KeptManifest | object {
      const { text, program } = manifests.get(name) ?? {};
      return { text, program };
    },
    tokenIn: (value) => (value as KeptManifest).program,
  };
}

function ofStatuses({ status: path }: RegistryPaths, status: StatusStore): IndexedFolder {
  return {
    path,
    names: status.names,
    tokenOf: status.inFile,
    textOf: (name) => textOf(status, name),
    valueOf: (name) => status.inFile(name) ?? {},
    tokenIn: (value) => value as object,
  };
}

function textOf(status: StatusStore, name: string): string {
  const known = status.inFile(name);
  return known === undefined ? '' : encodeStatus(known);
}
